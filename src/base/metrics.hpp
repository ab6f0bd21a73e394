#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace base {

/// Any thread.
class Counter {
public:
    void add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }
    std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

private:
    std::atomic<std::uint64_t> value_{0};
};

/// How long something took, in buckets from half a millisecond to a minute. Any thread.
class Durations {
public:
    static constexpr std::array<double, 12> bounds_s{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5, 10, 60};

    void observe(double seconds);
    /// Observations of at most bounds_s[bucket]; of all, behind the last.
    std::uint64_t up_to(std::size_t bucket) const;
    double sum_s() const { return static_cast<double>(sum_us_.value()) / 1e6; }

private:
    std::array<Counter, bounds_s.size() + 1> buckets_;
    Counter sum_us_;
};

/// Prometheus's text format. `labels` is what goes between the braces.
class MetricsText {
public:
    void counter(std::string_view name, std::string_view help, std::uint64_t value) {
        figure(name, help, "counter", "", static_cast<double>(value));
    }
    void gauge(std::string_view name, std::string_view help, double value) { figure(name, help, "gauge", "", value); }
    /// Several of one name follow each other; the first has the help.
    void labelled(std::string_view name, std::string_view help, std::string_view type, std::string_view labels, double value) {
        figure(name, help, type, labels, value);
    }
    void durations(std::string_view name, std::string_view help, const Durations& durations);

    const std::string& text() const { return text_; }

private:
    void head(std::string_view name, std::string_view help, std::string_view type);
    void figure(std::string_view name, std::string_view help, std::string_view type, std::string_view labels, double value);
    std::string text_, last_;
};

}  // namespace base
