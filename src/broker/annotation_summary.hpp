#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "protocol/message.hpp"

namespace broker {

/// What the annotations of one message add up to, by type (TM2u; Ably's documentation, "Message annotations").
///   type := namespace ':' method      method := "total.v1" | "flag.v1" | "distinct.v1" | "unique.v1" | "multiple.v1"
/// Annotations of any other type add up to nothing.
class AnnotationSummary {
public:
    /// Errors: bad_request (a type or name that is too long, or is missing and needed), identified_client_needed.
    static base::Result<void> check(const protocol::Annotation& annotation);
    /// Whether these, checked, can be added. Error: bad_request.
    base::Result<void> check_room(const std::vector<protocol::Annotation>& annotations) const;

    /// One more annotation, or one taken back; checked. False when it is of a type that is not summed up.
    bool apply(const protocol::Annotation& annotation);

    bool empty() const { return types_.empty(); }
    std::size_t size() const;   // clients' contributions
    std::size_t bytes() const;  // in memory, besides this
    /// {"summary":{…}}, at most limits::annotation_summary_bytes_max: of each name with the first clients, up to
    /// limits::annotation_clients_told_max, and fewer where there are too many names for that.
    std::string to_json() const;

private:
    std::size_t names_bytes() const;

    using Counts = std::map<std::string, std::int64_t>;  // by clientId; "" for all unidentified
    using Names = std::map<std::string, Counts>;         // by annotation name; "" where the method has none
    std::map<std::string, Names> types_;
};

}  // namespace broker
