#pragma once

#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace base {

/// First in, first out, in a row. Holds no memory while it is empty, of which a std::deque has 576 bytes.
template <class T>
class Fifo {
public:
    bool empty() const { return first_ == all_.size(); }
    std::size_t size() const { return all_.size() - first_; }

    auto begin() { return all_.begin() + offset(); }
    auto end() { return all_.end(); }
    auto begin() const { return all_.begin() + offset(); }
    auto end() const { return all_.end(); }
    auto rbegin() const { return std::make_reverse_iterator(end()); }
    auto rend() const { return std::make_reverse_iterator(begin()); }
    T& front() { return all_[first_]; }
    const T& front() const { return all_[first_]; }
    T& back() { return all_.back(); }

    void push_back(T value) { all_.push_back(std::move(value)); }
    void pop_front() {
        [[maybe_unused]] const T gone = std::move(all_[first_++]);
        if (empty()) return clear();
        if (2 * first_ < all_.size()) return;  // so that each is moved once at most
        all_.erase(all_.begin(), begin());
        first_ = 0;
    }
    /// Out of the row; cheap near its end.
    void erase(typename std::vector<T>::iterator at) {
        all_.erase(at);
        if (empty()) clear();
    }
    void clear() {
        std::exchange(all_, {});
        first_ = 0;
    }

private:
    std::ptrdiff_t offset() const { return static_cast<std::ptrdiff_t>(first_); }

    std::vector<T> all_;
    std::size_t first_ = 0;  // those before it have gone
};

}  // namespace base
