// The table of compiled kernels and the choice among them.
#include "dispatch.hpp"

#include <stdexcept>

#include "probe.hpp"

#define NETPHASE_DECLARE_KERNELS(isa)                          \
  namespace netphase::isa {                                    \
  void descend(const DescentRequest&, DescentResult&);         \
  void flow(const FlowRequest&, FlowResult&);                  \
  void overlaps(const OverlapRequest&, OverlapResult&);        \
  std::unique_ptr<Population> population(const PopulationRequest&); \
  std::unique_ptr<Sgd> sgd(const SgdRequest&);                 \
  std::unique_ptr<Normals> normals(const std::uint64_t*);      \
  void deep_steps(const DeepRequest<double>&, std::size_t, double*); \
  void deep_steps(const DeepRequest<float>&, std::size_t, float*);   \
  }
#define NETPHASE_KERNELS(isa, population) \
  Kernels {                                                                                                      \
    #isa, isa::descend, isa::flow, isa::overlaps, population, isa::sgd, isa::normals, isa::deep_steps, isa::deep_steps, isa::probe,            \
        isa::probe, isa::fma_gflops, isa::triad_gbytes                                                           \
  }

NETPHASE_DECLARE_KERNELS(baseline)
#ifdef NETPHASE_X86
NETPHASE_DECLARE_KERNELS(avx2)
NETPHASE_DECLARE_KERNELS(avx512)
#endif

namespace netphase {

#ifdef NETPHASE_X86
namespace {

// Few neurons of few inputs do not fill the wide vectors.
std::unique_ptr<Population> wide_population(const PopulationRequest& q) {
  return q.m * q.d < 4096 ? avx2::population(q) : avx512::population(q);
}

}  // namespace
#endif

std::vector<Kernels> available_kernels() {
  std::vector<Kernels> found;
#ifdef NETPHASE_X86
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw"))
    found.push_back(NETPHASE_KERNELS(avx512, wide_population));
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found.push_back(NETPHASE_KERNELS(avx2, avx2::population));
#endif
  found.push_back(NETPHASE_KERNELS(baseline, baseline::population));
  return found;
}

Kernels kernels_named(const std::string& isa) {
  std::string names;
  for (const Kernels& k : available_kernels()) {
    if (isa.empty() || isa == k.isa) return k;
    names += (names.empty() ? "" : ", ") + std::string(k.isa);
  }
  throw std::invalid_argument("NETPHASE_ISA must be one of " + names + " on this processor, but is " + isa + ".");
}

}  // namespace netphase
