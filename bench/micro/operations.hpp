#pragma once

#include <functional>
#include <string>
#include <vector>

/// What a server does all day, one operation at a time: measured in time by `micro`, in instructions by `instructions`.
namespace micro {

struct Operation {
    std::string name;
    std::size_t per_run = 1;  // how many one call is
    std::function<void()> run;
};

/// What they work on lives as long as the process.
std::vector<Operation> operations();

}  // namespace micro
