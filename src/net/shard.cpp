#include "net/shard.hpp"

#include <pthread.h>

#include <future>
#include <utility>

#include <boost/asio/post.hpp>

#include "base/assert.hpp"

namespace net {

namespace {
constexpr std::size_t read_buffer_bytes = 64u << 10;
}

Shard::Shard(std::string name) : name_(std::move(name)), work_(asio::make_work_guard(io_)), read_buffer_(read_buffer_bytes) {}

Shard::~Shard() { stop_and_join(); }

void Shard::start() {
    PAL_ASSERT(!thread_.joinable());
    thread_ = std::thread([this] {
        ::pthread_setname_np(::pthread_self(), name_.substr(0, 15).c_str());
        io_.run();
    });
}

void Shard::stop_and_join() {
    if (!thread_.joinable()) return;
    work_.reset();
    io_.stop();
    thread_.join();
}

void Shard::post(Task task) { asio::post(io_, std::move(task)); }

void Shard::call(Task task) {
    PAL_ASSERT(!is_current());
    std::promise<void> done;
    post([&] {
        task();
        done.set_value();
    });
    done.get_future().wait();
}

bool Shard::is_current() const { return std::this_thread::get_id() == thread_.get_id(); }

void Shard::wind_down_all() {
    winding_down_ = true;
    for (auto* resident : residents_) resident->wind_down();
}

void Shard::abandon_all() {
    for (auto* resident : std::exchange(residents_, {})) resident->abandon();
}

void Shard::flush_soon(std::shared_ptr<Resident> resident) {
    if (unflushed_.empty()) post([this] { flush_all(); });
    unflushed_.push_back(std::move(resident));
}

void Shard::flush_all() {
    std::swap(unflushed_, flushing_);
    for (const auto& each : flushing_) each->flush();
    flushing_.clear();
}

}  // namespace net
