#include "base/metrics.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace base {

void Durations::observe(double seconds) {
    const auto bound = std::ranges::lower_bound(bounds_s, seconds);
    buckets_[static_cast<std::size_t>(bound - bounds_s.begin())].add();
    sum_us_.add(static_cast<std::uint64_t>(std::max(0.0, seconds) * 1e6));
}

std::uint64_t Durations::up_to(std::size_t bucket) const {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i <= bucket; ++i) count += buckets_[i].value();
    return count;
}

void MetricsText::head(std::string_view name, std::string_view help, std::string_view type) {
    if (name == last_) return;
    last_ = name;
    text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

void MetricsText::figure(std::string_view name, std::string_view help, std::string_view type, std::string_view labels,
                         double value) {
    head(name, help, type);
    if (labels.empty())
        text_ += fmt::format("{} {}\n", name, value);
    else
        text_ += fmt::format("{}{{{}}} {}\n", name, labels, value);
}

void MetricsText::durations(std::string_view name, std::string_view help, const Durations& durations) {
    head(name, help, "histogram");
    for (std::size_t i = 0; i < Durations::bounds_s.size(); ++i) {
        text_ += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, Durations::bounds_s[i], durations.up_to(i));
    }
    const auto count = durations.up_to(Durations::bounds_s.size());
    text_ +=
        fmt::format("{}_bucket{{le=\"+Inf\"}} {}\n{}_sum {}\n{}_count {}\n", name, count, name, durations.sum_s(), name, count);
}

}  // namespace base
