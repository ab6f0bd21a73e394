#include "broker/annotation_summary.hpp"

#include <algorithm>
#include <numeric>
#include <optional>

#include "base/limits.hpp"
#include "protocol/error_codes.hpp"
#include "protocol/json_plain.hpp"
#include "protocol/json_writer.hpp"

namespace broker {
namespace {

using base::ErrorCode;
using base::fail;
using protocol::Annotation;
using protocol::AnnotationAction;
using protocol::JsonWriter;

enum class Method : std::uint8_t { total, flag, distinct, unique, multiple };

std::optional<Method> method_of(std::string_view type) {
    const auto colon = type.rfind(':');
    if (colon == type.npos || colon == 0) return std::nullopt;
    const auto name = type.substr(colon + 1);
    if (name == "total.v1") return Method::total;
    if (name == "flag.v1") return Method::flag;
    if (name == "distinct.v1") return Method::distinct;
    if (name == "unique.v1") return Method::unique;
    if (name == "multiple.v1") return Method::multiple;
    return std::nullopt;
}

const std::string no_name;

bool goes_by_name(Method method) { return method != Method::total && method != Method::flag; }

std::int64_t sum(const auto& counts) {
    return std::accumulate(counts.begin(), counts.end(), std::int64_t{0}, [](auto total, const auto& each) { return total + each.second; });
}

void member(JsonWriter& out, std::string_view name, std::size_t number) {
    out.key(name);
    out.number(static_cast<std::int64_t>(number));
}

/// What a text takes in JSON, and what stands around it in a list or in front of a count.
std::size_t bytes_in_list(std::string_view text, std::size_t around = 3) {
    return protocol::escaped_bytes(text) + around;
}
/// Of a name besides itself, with no clients told; and of a type.
constexpr std::size_t name_entry_bytes = 144, type_entry_bytes = 8;

/// What clients may take in a summary: each name has its share, and what those before it left.
class Room {
public:
    Room(std::size_t bytes, std::size_t names) : bytes_(bytes), names_(names) {}
    void next_name() {
        share_ = bytes_ / std::max<std::size_t>(names_--, 1);
        told_ = 0;
    }
    /// Takes the room for one more of this name's clients, where there is some.
    bool take(std::size_t bytes) {
        if (bytes > share_ || told_ == base::limits::annotation_clients_told_max) return false;
        ++told_;
        share_ -= bytes;
        bytes_ -= bytes;
        return true;
    }

private:
    std::size_t bytes_, names_, share_ = 0, told_ = 0;
};

/// {"total":2,"clientIds":["a","b"],"clipped":false}
void write_clients(JsonWriter& out, const auto& counts, Room& room) {
    bool clipped = false;
    room.next_name();
    out.object([&] {
        member(out, "total", counts.size());
        out.key("clientIds");
        out.array([&] {
            for (const auto& [client, count] : counts) {
                clipped = !room.take(bytes_in_list(client));
                if (clipped) break;
                out.element();
                out.text(client);
            }
        });
        out.key("clipped");
        out.boolean(clipped);
    });
}

/// {"total":5,"clientIds":{"a":3},"totalUnidentified":2,"clipped":false,"totalClientIds":1}
void write_counts(JsonWriter& out, const auto& counts, Room& room) {
    const auto unidentified = counts.find("");
    const auto clients = counts.size() - (unidentified == counts.end() ? 0 : 1);
    bool clipped = false;
    room.next_name();
    out.object([&] {
        out.key("total");
        out.number(sum(counts));
        out.key("clientIds");
        out.object([&] {
            for (const auto& [client, count] : counts) {
                if (client.empty()) continue;
                clipped = !room.take(bytes_in_list(client, 14));  // and a count of ten digits
                if (clipped) break;
                out.key(client);
                out.number(count);
            }
        });
        out.key("totalUnidentified");
        out.number(unidentified == counts.end() ? 0 : unidentified->second);
        out.key("clipped");
        out.boolean(clipped);
        member(out, "totalClientIds", clients);
    });
}

}  // namespace

base::Result<void> AnnotationSummary::check(const Annotation& annotation) {
    if (annotation.type.empty() || annotation.type.size() > base::limits::annotation_type_bytes_max) {
        return fail(ErrorCode::bad_request, "An annotation's type is a text of 1 to {} bytes", base::limits::annotation_type_bytes_max);
    }
    if (annotation.name.size() > base::limits::annotation_name_bytes_max) {
        return fail(ErrorCode::bad_request, "An annotation's name has {} bytes at most", base::limits::annotation_name_bytes_max);
    }
    if (annotation.count && (*annotation.count < 1 || *annotation.count > base::limits::annotation_count_max)) {
        return fail(ErrorCode::bad_request, "An annotation's count is 1 to {}", base::limits::annotation_count_max);
    }
    const auto method = method_of(annotation.type);
    if (!method) return {};
    const bool takes_back = annotation.action == AnnotationAction::remove;
    const bool needs_name = goes_by_name(*method) && !(takes_back && *method == Method::unique);
    if (needs_name && annotation.name.empty()) return fail(ErrorCode::bad_request, "An annotation of type {} has a name", annotation.type);
    const bool counts_clients = *method != Method::total && (*method != Method::multiple || takes_back);
    if (counts_clients && annotation.client_id.empty()) {
        return fail(ErrorCode::identified_client_needed, "An annotation of type {} needs a clientId", annotation.type);
    }
    return {};
}

/// What it takes without any client told.
std::size_t AnnotationSummary::names_bytes() const {
    std::size_t bytes = 0;
    for (const auto& [type, names] : types_) {
        bytes += bytes_in_list(type, type_entry_bytes);
        for (const auto& [name, counts] : names) bytes += bytes_in_list(name, name_entry_bytes);
    }
    return bytes;
}

base::Result<void> AnnotationSummary::check_room(const std::vector<Annotation>& annotations) const {
    std::size_t more = 0, bytes = names_bytes();
    for (const auto& each : annotations) {
        const auto method = method_of(each.type);
        if (!method || each.action == AnnotationAction::remove) continue;
        ++more;
        const auto names = types_.find(each.type);
        if (names == types_.end()) bytes += bytes_in_list(each.type, type_entry_bytes);
        const auto& name = goes_by_name(*method) ? each.name : no_name;
        if (names == types_.end() || !names->second.contains(name)) bytes += bytes_in_list(name, name_entry_bytes);
    }
    if (more == 0) return {};
    if (size() + more > base::limits::annotations_per_message_max) {
        return fail(ErrorCode::bad_request, "The message has as many annotations as it may: {}", base::limits::annotations_per_message_max);
    }
    if (bytes > base::limits::annotation_summary_bytes_max / 2) {
        return fail(ErrorCode::bad_request, "The message has annotations of as many names as its summary of {} bytes may have",
                    base::limits::annotation_summary_bytes_max);
    }
    return {};
}

bool AnnotationSummary::apply(const Annotation& annotation) {
    const auto known = method_of(annotation.type);
    if (!known) return false;
    const auto method = *known;
    const bool takes_back = annotation.action == AnnotationAction::remove;
    auto& names = types_[annotation.type];
    const auto& name = goes_by_name(method) ? annotation.name : no_name;
    const auto& client = method == Method::total ? no_name : annotation.client_id;
    if (method == Method::unique) {
        for (auto& [other, counts] : names) counts.erase(client);
    }
    auto& counts = names[name];
    if (method == Method::total && takes_back) --counts[client];
    else if (takes_back) counts.erase(client);
    else if (method == Method::total) ++counts[client];
    else if (method == Method::multiple) counts[client] += annotation.count.value_or(1);
    else counts[client] = 1;
    std::erase_if(counts, [](const auto& each) { return each.second <= 0; });
    std::erase_if(names, [](const auto& each) { return each.second.empty(); });
    if (names.empty()) types_.erase(annotation.type);
    return true;
}

std::size_t AnnotationSummary::bytes() const {
    constexpr std::size_t links_bytes = 4 * sizeof(void*);  // of a node of a map
    std::size_t bytes = 0;
    for (const auto& [type, names] : types_) {
        bytes += links_bytes + sizeof(std::pair<std::string, Names>) + type.size();
        for (const auto& [name, counts] : names) {
            bytes += links_bytes + sizeof(std::pair<std::string, Counts>) + name.size();
            for (const auto& [client, count] : counts) bytes += links_bytes + sizeof(std::pair<std::string, std::int64_t>) + client.size();
        }
    }
    return bytes;
}

std::size_t AnnotationSummary::size() const {
    std::size_t size = 0;
    for (const auto& [type, names] : types_) {
        for (const auto& [name, counts] : names) size += counts.size();
    }
    return size;
}

std::string AnnotationSummary::to_json() const {
    std::string json;
    JsonWriter out{json};
    std::size_t names_told = 0;
    for (const auto& [type, names] : types_) names_told += names.size();
    Room room{base::limits::annotation_summary_bytes_max - std::min(names_bytes(), base::limits::annotation_summary_bytes_max), names_told};
    out.object([&] {
        out.key("summary");
        out.object([&] {
            for (const auto& [type, names] : types_) {
                const auto method = *method_of(type);
                out.key(type);
                if (method == Method::total)
                    out.object([&] { member(out, "total", static_cast<std::size_t>(sum(names.begin()->second))); });
                else if (method == Method::flag) write_clients(out, names.begin()->second, room);
                else out.object([&] {
                    for (const auto& [name, counts] : names) {
                        out.key(name);
                        method == Method::multiple ? write_counts(out, counts, room) : write_clients(out, counts, room);
                    }
                });
            }
        });
    });
    return json;
}

}  // namespace broker
