#include "net/shard.hpp"

#include <pthread.h>

#include <future>

#include <boost/asio/post.hpp>

#include "base/assert.hpp"

namespace net {

Shard::Shard(std::string name) : name_(std::move(name)), work_(asio::make_work_guard(io_)) {}

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

bool Shard::is_current() const { return std::this_thread::get_id() == thread_.get_id(); }

void Shard::call(Task task) {
    std::promise<void> done;
    post([&] {
        task();
        done.set_value();
    });
    done.get_future().wait();
}

}  // namespace net
