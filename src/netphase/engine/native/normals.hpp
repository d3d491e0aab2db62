// A source of independent normal and chi variables: what is asked. No Python and no instruction set in here.
#pragma once
#include <cstdint>
#include <memory>

namespace netphase {

constexpr int normal_streams = 8;

class Normals {
 public:
  virtual ~Normals() = default;
  virtual void pair(double* first, double* second) = 0;          // two rows of eight standard normal numbers
  virtual void chi(const double* degrees, double* out) = 0;      // eight lengths of normal vectors of >= 2 dimensions
};

}  // namespace netphase

#ifdef NETPHASE_ISA
namespace netphase::NETPHASE_ISA {
std::unique_ptr<Normals> normals(const std::uint64_t* words);  // (4, 8), no column zero
}
#endif
