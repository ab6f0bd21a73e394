#include "bench/child.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <utility>

#include <fmt/format.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace bench {

Child::Child(const std::vector<std::string>& command) {
    std::array<int, 2> in{}, out{};
    if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no more pipes");
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    std::vector<char*> arguments;
    for (const auto& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
    arguments.push_back(nullptr);
    const int error = posix_spawnp(&pid_, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    in_ = in[1];
    out_ = out[0];
    fcntl(in_, F_SETFL, O_NONBLOCK);
    fcntl(out_, F_SETFL, O_NONBLOCK);
    std::signal(SIGPIPE, SIG_IGN);
    if (error == 0) return;
    close(in_);
    close(out_);
    throw std::runtime_error(fmt::format("{}: {}", command.front(), std::strerror(error)));
}

Child::~Child() {
    if (pid_ > 0) kill(pid_, SIGTERM);
    finish();
}

void Child::finish() {
    if (pid_ == 0) return;
    close(in_);
    waitpid(std::exchange(pid_, 0), nullptr, 0);
    close(out_);
}

void Child::write(std::string_view text) {
    waiting_ += text;
    flush();
}

void Child::flush() {
    if (waiting_.empty()) return;
    const auto written = ::write(in_, waiting_.data(), waiting_.size());
    if (written > 0) waiting_.erase(0, static_cast<std::size_t>(written));
}

bool Child::read(std::string& into) {
    std::array<char, 65'536> buffer;
    for (;;) {
        const auto got = ::read(out_, buffer.data(), buffer.size());
        if (got <= 0) return got < 0 && (errno == EAGAIN || errno == EINTR);
        into.append(buffer.data(), static_cast<std::size_t>(got));
    }
}

}  // namespace bench
