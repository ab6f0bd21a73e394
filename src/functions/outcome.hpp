#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace functions {

/// A message that was not carried out and never will be: for its author to be told.
struct Refusal {
    std::string message_id, name, client_id;  // of the message that was refused
    base::Error error;
    friend bool operator==(const Refusal&, const Refusal&) = default;
};

/// What became of an event. With `failed` set nothing can be said of its messages yet: hand the same event in again, carrying out
/// one of its messages twice is the same as once.
struct Outcome {
    std::vector<Refusal> refused;
    std::optional<base::Error> failed;
    bool in_vain = false;  // `failed`, and so would trying again soon: somebody has to see to it
    friend bool operator==(const Outcome&, const Outcome&) = default;
};

}  // namespace functions
