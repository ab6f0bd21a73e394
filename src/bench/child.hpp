#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace bench {

/// A program whose standard input and output are ours, without blocking. Ended when this is.
class Child {
public:
    /// Throws std::runtime_error when it cannot be started.
    explicit Child(const std::vector<std::string>& command);
    ~Child();
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    int output() const { return out_; }
    void write(std::string_view text);  // what its pipe does not take waits for the next write or flush
    void flush();
    /// Lets it read to the end of what was written, and waits for its own end.
    void finish();
    /// What it has written; false when it has ended.
    bool read(std::string& into);

private:
    pid_t pid_ = 0;
    int in_ = -1, out_ = -1;
    std::string waiting_;
};

}  // namespace bench
