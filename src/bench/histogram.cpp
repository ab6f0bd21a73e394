#include "bench/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bench {

void Histogram::add(const Histogram& other) {
    for (std::size_t i = 0; i < buckets; ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
}

double Histogram::mean() const {
    double sum = 0;
    for (std::size_t i = 0; i < buckets; ++i) sum += static_cast<double>(counts_[i]) * static_cast<double>(middle_of(i));
    return count_ == 0 ? 0 : sum / static_cast<double>(count_);
}

std::int64_t Histogram::quantile(double share) const {
    auto left = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    for (std::size_t i = 0; i < buckets && left > 0; ++i) {
        if (counts_[i] >= left) return std::min(middle_of(i), max_);
        left -= counts_[i];
    }
    return share > 0 ? max_ : 0;
}

// The first octave counts every value from 0 to 127 by itself; each one after it halves its values' precision.
std::size_t Histogram::bucket_of(std::int64_t value) {
    const auto clamped = static_cast<std::uint64_t>(std::clamp<std::int64_t>(value, 0, (std::int64_t{1} << value_bits) - 1));
    if (clamped < per_octave) return clamped;
    const int shift = static_cast<int>(std::bit_width(clamped)) - precision_bits - 1;
    return (static_cast<std::size_t>(shift) + 1) * per_octave + ((clamped >> shift) - per_octave);
}

std::int64_t Histogram::middle_of(std::size_t bucket) {
    if (bucket < per_octave) return static_cast<std::int64_t>(bucket);
    const auto shift = bucket / per_octave - 1;
    const auto least = (per_octave + bucket % per_octave) << shift;
    return static_cast<std::int64_t>(least + (std::size_t{1} << shift) / 2);
}

}  // namespace bench
