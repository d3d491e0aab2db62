// Chooses, once, the compiled copy of the kernels that this processor can run.
#pragma once
#include <string>
#include <vector>

#include "deep.hpp"
#include "descent.hpp"
#include "flow.hpp"
#include "overlaps.hpp"
#include "population.hpp"
#include "sgd.hpp"

namespace netphase {

struct Kernels {
  const char* isa;
  void (*descend)(const DescentRequest&, DescentResult&);
  void (*flow)(const FlowRequest&, FlowResult&);
  void (*overlaps)(const OverlapRequest&, OverlapResult&);
  std::unique_ptr<Population> (*population)(const PopulationRequest&);
  std::unique_ptr<Sgd> (*sgd)(const SgdRequest&);
  std::unique_ptr<Normals> (*normals)(const std::uint64_t*);
  void (*deep_steps64)(const DeepRequest<double>&, std::size_t, double*);
  void (*deep_steps32)(const DeepRequest<float>&, std::size_t, float*);
  void (*probe64)(int, int, const double*, double*, std::size_t);
  void (*probe32)(int, int, const float*, float*, std::size_t);
  double (*fma_gflops)(double, bool);
  double (*triad_gbytes)(std::size_t, double);
};

std::vector<Kernels> available_kernels();        // best first
Kernels kernels_named(const std::string& isa);   // "" means the best; throws std::invalid_argument

}  // namespace netphase
