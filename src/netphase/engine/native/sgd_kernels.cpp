// Projected SGD for one instruction set.
//
// Neurons sit in the lanes: the weights are groups of one vector of neurons, (columns) each. Samples come
// in blocks of eight, whose pre-activations are computed at once; the steps within a block then need the
// samples' own products only, and the weights are written once a block. As rows stay of unit length,
// |u + sum_b c_b (x_b - z_b u)|^2 = 1 + |sum_b c_b x_b|^2 - (sum_b c_b z_b)^2 takes no pass either.
//
// With `room`, columns are coordinates in a subspace that holds u* and all rows. What a fresh sample has
// outside of it is a chi variable along a new direction, so that eight of them are an upper triangle (the
// Bartlett decomposition); when the room is used up, reflections turn the rows into m + 1 columns again.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <new>

#include "gaussian.hpp"
#include "sgd_curve.hpp"

namespace netphase::NETPHASE_ISA {

namespace {

using Vector = vec<double>;

constexpr std::size_t width = lanes<double>, block = normal_streams;
constexpr std::size_t abreast = width == 8 ? 2 : 1;  // groups that share a pass: as many as registers hold
constexpr int tidy_every = 64;                       // blocks between two renormalisations
constexpr double limit = 1e9;                        // an output weight beyond has diverged

struct Release {
  void operator()(void* p) const { std::free(p); }
};
template <class T> using Block = std::unique_ptr<T[], Release>;

template <class T> Block<T> zeros(std::size_t count) {
  const std::size_t bytes = (count * sizeof(T) + 127) / 64 * 64;
  void* p = std::aligned_alloc(64, bytes);
  if (p == nullptr) throw std::bad_alloc();
  std::memset(p, 0, bytes);
  return Block<T>(static_cast<T*>(p));
}

class SgdRun final : public Sgd {
 public:
  explicit SgdRun(const SgdRequest& request)
      : r(request), m(r.m), groups((m + width * abreast - 1) / (width * abreast) * abreast), filled(r.columns),
        dim(r.columns), steps_a_block(block / r.batch), sigma(curve(r.activation)), phi(curve(r.target)),
        data(r.data), labels(r.labels) {
    const std::size_t chunks = (r.batch + block - 1) / block * block;
    capacity = r.room ? r.columns + (r.room > chunks ? r.room : chunks) : r.columns;
    w = zeros<Vector>(groups * capacity), x = zeros<double>((capacity + 1) * block);
    if (steps_a_block == 0) sum_x = zeros<Vector>(groups * capacity);
    if (r.room) normal = zeros<double>(capacity);
    for (auto* each : {&z0, &push, &value, &slope, &z}) *each = zeros<Vector>(groups * block);
    for (auto* each : {&a, &rate_a, &keep, &along, &push_a}) *each = zeros<Vector>(groups);
    for (std::size_t i = 0; i < m; ++i) {
      a[i / width][i % width] = r.a[i], rate_a[i / width][i % width] = r.rate_a / r.batch;
      for (std::size_t j = 0; j < r.columns; ++j) row(i / width)[j][i % width] = r.w[i * r.columns + j];
    }
    position = steps_a_block;  // nothing drawn yet
  }

  std::size_t columns() const override { return filled; }

  std::size_t advance(std::size_t steps) override {
    last_poll = now();
    std::size_t done = 0;
    while (done < steps && !stopped()) {
      const std::size_t taken = steps_a_block == 0 ? big_step() : part_of_block(steps - done);
      if (interrupted || diverged()) break;
      done += taken;
    }
    return done;
  }

  void state(double* a_out, double* w_out) override {
    tidy();
    for (std::size_t i = 0; i < m; ++i) {
      a_out[i] = a[i / width][i % width];
      for (std::size_t j = 0; j < filled; ++j) w_out[i * filled + j] = row(i / width)[j][i % width];
    }
  }

 private:
  SgdRequest r;
  std::size_t m, groups, capacity = 0;
  std::size_t filled, dim;  // columns in use: of the weights, and of the samples
  std::size_t steps_a_block, position = 0;
  std::unique_ptr<Curve> sigma, phi;
  Gaussian data, labels;
  Block<Vector> w, sum_x;                     // (groups, capacity)
  Block<Vector> z0, push, value, slope, z;    // (block, groups)
  Block<Vector> a, rate_a, keep, along, push_a;  // (groups)
  Block<double> x, normal;                    // (capacity, block); a reflection
  alignas(64) double gram[block * block], y[block];
  double last_poll = 0;
  int untidy = 0;

  Vector* row(std::size_t g) { return w.get() + g * capacity; }

  static double now() {
    timespec reading;
    clock_gettime(CLOCK_MONOTONIC, &reading);
    return static_cast<double>(reading.tv_sec) + 1e-9 * static_cast<double>(reading.tv_nsec);
  }
  bool stopped() {
    if (interrupted || r.poll == nullptr) return interrupted;
    const double reading = now();
    if (reading - last_poll < 0.05) return false;
    last_poll = reading;
    return interrupted = r.poll();
  }
  bool diverged() const {
    for (std::size_t i = 0; i < m; ++i)
      if (!(std::fabs(a[i / width][i % width]) < limit)) return true;
    return false;
  }

  // Eight samples, (dim, block), and their targets.
  void draw() {
    for (std::size_t j = 0; j < dim; j += 2) data.pair(&x[j * block], &x[(j + 1) * block]);
    if (r.room) draw_outside();
    Vector in[Gaussian::parts], out[Gaussian::parts], unused[Gaussian::parts];
    std::memcpy(in, x.get(), sizeof in);
    phi->look(in, out, unused, Gaussian::parts);
    std::memcpy(y, out, sizeof out);
    if (r.noise == 0) return;
    double noise[2 * block];
    labels.pair(noise, noise + block);
    for (std::size_t b = 0; b < block; ++b) y[b] += r.noise * noise[b];
  }

  // Coordinate k of sample b along the new directions: normal for k < b, chi for k = b, zero beyond.
  void draw_outside() {
    double degrees[block], lengths[block];
    for (std::size_t k = 0; k < block; k += 2) data.pair(&x[(dim + k) * block], &x[(dim + k + 1) * block]);
    for (std::size_t k = 0; k < block; ++k) degrees[k] = static_cast<double>(r.inputs - dim - k);
    data.chi(degrees, lengths);
    for (std::size_t k = 0; k < block; ++k)
      for (std::size_t b = 0; b <= k; ++b) x[(dim + k) * block + b] = b == k ? lengths[k] : 0.0;
    dim += block;
  }

  void take_gram() {
    constexpr int parts = Gaussian::parts;
    for (int p = 0; p < parts; ++p) {
      Vector total[block] = {};
      for (std::size_t j = 0; j < dim; ++j) {
        const double* each = &x[j * block];
        const Vector mine = load(each + p * width);
        for (std::size_t b = 0; b < block; ++b) total[b] += mine * each[b];
      }
      for (std::size_t b = 0; b < block; ++b) store(gram + b * block + p * width, total[b]);
    }
  }

  // z0 = the products of the rows with the samples
  void project() {
    for (std::size_t g = 0; g < groups; g += abreast) {
      Vector total[abreast][block] = {};
      const Vector* from = row(g);
      for (std::size_t j = 0; j < filled; ++j)
        for (std::size_t n = 0; n < abreast; ++n) {
          const Vector mine = from[n * capacity + j];
          for (std::size_t b = 0; b < block; ++b) total[n][b] += mine * x[j * block + b];
        }
      for (std::size_t n = 0; n < abreast; ++n)
        for (std::size_t b = 0; b < block; ++b) z0[b * groups + g + n] = total[n][b];
    }
  }

  // target = factor * target + push x, factor (groups) or one for all
  void add_samples(Vector* target, const Vector* factor) {
    for (std::size_t g = 0; g < groups; g += abreast) {
      Vector share[abreast][block], kept[abreast];
      for (std::size_t n = 0; n < abreast; ++n) {
        kept[n] = factor ? factor[g + n] : splat<double>(1);
        for (std::size_t b = 0; b < block; ++b) share[n][b] = push[b * groups + g + n];
      }
      Vector* to = target + g * capacity;
      for (std::size_t j = 0; j < dim; ++j)
        for (std::size_t n = 0; n < abreast; ++n) {
          Vector mine = to[n * capacity + j] * kept[n];
          for (std::size_t b = 0; b < block; ++b) mine += share[n][b] * x[j * block + b];
          to[n * capacity + j] = mine;
        }
    }
  }

  // The error of sample b at z; adds e sigma(z) to push_a, and leaves e sigma'(z) in `slope`.
  void judge(std::size_t b) {
    Vector *steep = &slope[b * groups], output = {};
    sigma->look(&z[b * groups], value.get(), steep, groups);
    for (std::size_t g = 0; g < groups; ++g) output += a[g] * value[g];
    const double e = y[b] - sum64<double>(output) / static_cast<double>(m);
    for (std::size_t g = 0; g < groups; ++g) push_a[g] += e * value[g], steep[g] *= e;
  }

  std::size_t part_of_block(std::size_t most) {
    if (position == steps_a_block) {
      if (r.room && dim + block > capacity && !compress()) return 0;
      draw(), take_gram();
      position = 0;
    }
    project();
    std::fill_n(push.get(), groups * block, Vector{});
    std::fill_n(keep.get(), groups, splat<double>(1));
    const std::size_t count = std::min(most, steps_a_block - position);
    for (std::size_t k = 0; k < count; ++k, ++position) small_step(position * r.batch);
    add_samples(w.get(), keep.get());
    filled = dim;
    if (++untidy >= tidy_every) tidy();
    return count;
  }

  // A step on the samples from `first` on; the rows are keep * row + push x by now.
  void small_step(std::size_t first) {
    const std::size_t end = first + r.batch;
    std::fill_n(push_a.get(), groups, Vector{});
    for (std::size_t b = first; b < end; ++b) {
      Vector* each = &z[b * groups];
      for (std::size_t g = 0; g < groups; ++g) each[g] = keep[g] * z0[b * groups + g];
      for (std::size_t p = 0; p < first; ++p)
        for (std::size_t g = 0; g < groups; ++g) each[g] += push[p * groups + g] * gram[p * block + b];
      judge(b);
    }
    const double rate = r.rate_w / static_cast<double>(r.batch);
    for (std::size_t g = 0; g < groups; ++g) {
      Vector inside = {}, square = splat<double>(1), share[block];
      for (std::size_t b = first; b < end; ++b) {
        share[b] = rate * a[g] * slope[b * groups + g];
        inside += share[b] * z[b * groups + g];
        square += share[b] * share[b] * gram[b * block + b];
        for (std::size_t p = first; p < b; ++p) square += 2.0 * share[b] * share[p] * gram[p * block + b];
      }
      const Vector length = 1.0 / root(square - inside * inside), factor = (1.0 - inside) * length;
      keep[g] *= factor;
      for (std::size_t p = 0; p < first; ++p) push[p * groups + g] *= factor;
      for (std::size_t b = first; b < end; ++b) push[b * groups + g] = share[b] * length;
      a[g] += rate_a[g] * push_a[g];
    }
  }

  // One step on more samples than a block holds.
  std::size_t big_step() {
    if (r.room && dim + (r.batch + block - 1) / block * block > capacity && !compress()) return 0;
    std::fill_n(sum_x.get(), groups * capacity, Vector{});
    for (auto* each : {&push_a, &along}) std::fill_n(each->get(), groups, Vector{});
    const double rate = r.rate_w / static_cast<double>(r.batch);
    for (std::size_t left = r.batch; left > 0; left -= std::min(left, block)) {
      if (stopped()) return 0;
      draw(), project();
      std::memcpy(z.get(), z0.get(), groups * block * sizeof(Vector));
      std::fill_n(push.get(), groups * block, Vector{});
      for (std::size_t b = 0; b < std::min(left, block); ++b) {
        judge(b);
        for (std::size_t g = 0; g < groups; ++g) {
          push[b * groups + g] = rate * a[g] * slope[b * groups + g];
          along[g] += push[b * groups + g] * z[b * groups + g];
        }
      }
      add_samples(sum_x.get(), nullptr);
    }
    for (std::size_t g = 0; g < groups; ++g) {
      a[g] += rate_a[g] * push_a[g];
      for (std::size_t j = 0; j < dim; ++j) row(g)[j] = row(g)[j] * (1.0 - along[g]) + sum_x[g * capacity + j];
    }
    filled = dim;
    tidy();
    return 1;
  }

  // Rows of unit length, against rounding.
  void tidy() {
    for (std::size_t g = 0; g < groups; ++g) {
      Vector square = {}, *mine = row(g);
      for (std::size_t j = 0; j < filled; ++j) square += mine[j] * mine[j];
      const Vector factor = 1.0 / root(select<double>(square > Vector{}, square, splat<double>(1)));
      for (std::size_t j = 0; j < filled; ++j) mine[j] *= factor;
    }
    untidy = 0;
  }

  // Householder reflections that leave u* alone take row k into its first k + 2 columns. False: gave up.
  bool compress() {
    for (std::size_t k = 0; k < m; ++k) {
      if (stopped()) return false;
      Vector* mine = row(k / width);
      double tail = 0;
      for (std::size_t j = k + 1; j < filled; ++j) {
        normal[j] = mine[j][k % width];
        if (j > k + 1) tail += normal[j] * normal[j];
      }
      if (!(tail > 0)) continue;
      const double head = normal[k + 1], size = std::sqrt(head * head + tail), end = head < 0 ? size : -size;
      normal[k + 1] = head - end;
      const double factor = 2.0 / (normal[k + 1] * normal[k + 1] + tail);
      for (std::size_t g = k / width; g < groups; ++g) reflect(row(g), k + 1, factor);
      mine[k + 1][k % width] = end;
      for (std::size_t j = k + 2; j < filled; ++j) mine[j][k % width] = 0.0;
    }
    filled = dim = m + 1;
    tidy();
    return true;
  }

  void reflect(Vector* mine, std::size_t first, double factor) {
    Vector total[4] = {};
    std::size_t j = first;
    for (; j + 4 <= filled; j += 4)
      for (std::size_t n = 0; n < 4; ++n) total[n] += mine[j + n] * normal[j + n];
    for (; j < filled; ++j) total[0] += mine[j] * normal[j];
    const Vector share = ((total[0] + total[1]) + (total[2] + total[3])) * factor;
    for (j = first; j < filled; ++j) mine[j] -= share * normal[j];
  }
};

}  // namespace

std::unique_ptr<Sgd> sgd(const SgdRequest& request) { return std::make_unique<SgdRun>(request); }
std::unique_ptr<Normals> normals(const std::uint64_t* words) { return std::make_unique<Gaussian>(words); }

}  // namespace netphase::NETPHASE_ISA
