#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace bench {

/// Counts durations in buckets whose width grows with the value, as HdrHistogram does: of what it says, at most 1/128 is error.
/// Values are nanoseconds, from 0 to about 18 minutes; what is outside counts as the nearest that is inside.
class Histogram {
public:
    void record(std::int64_t value) { ++counts_[bucket_of(value)], ++count_, max_ = value > max_ ? value : max_; }
    void add(const Histogram& other);

    std::uint64_t count() const { return count_; }
    std::int64_t max() const { return max_; }
    double mean() const;
    /// The value that a share of all (0 to 1) do not exceed; 0 when there are none.
    std::int64_t quantile(double share) const;

private:
    static constexpr int precision_bits = 7, value_bits = 40;
    static constexpr std::size_t per_octave = std::size_t{1} << precision_bits;
    static constexpr std::size_t buckets = (value_bits - precision_bits + 1) * per_octave;

    static std::size_t bucket_of(std::int64_t value);
    static std::int64_t middle_of(std::size_t bucket);

    std::array<std::uint64_t, buckets> counts_{};
    std::uint64_t count_ = 0;
    std::int64_t max_ = 0;
};

}  // namespace bench
