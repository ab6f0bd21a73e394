#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.hpp"
#include "protocol/message.hpp"

namespace broker {

/// What the annotations of one message add up to, by type (TM2u; Ably's documentation, "Message annotations").
///   type := namespace ':' method      method := "total.v1" | "flag.v1" | "distinct.v1" | "unique.v1" | "multiple.v1"
class AnnotationSummary {
public:
    /// Errors: bad_request (no such type, or without the name that it goes by), identified_client_needed.
    static base::Result<void> check(const protocol::Annotation& annotation);

    /// One more annotation, or one taken back; checked.
    void apply(const protocol::Annotation& annotation);

    bool empty() const { return types_.empty(); }
    std::size_t size() const;  // clients' contributions
    /// {"summary":{…}}, with the first limits::annotation_clients_told_max clients of each.
    std::string to_json() const;

private:
    using Counts = std::map<std::string, std::int64_t>;  // by clientId; "" for all unidentified
    using Names = std::map<std::string, Counts>;         // by annotation name; "" where the method has none
    std::map<std::string, Names> types_;
};

}  // namespace broker
