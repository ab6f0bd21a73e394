#include "realtime/delta.hpp"

#include "protocol/json_reader.hpp"
#include "protocol/json_writer.hpp"
#include "protocol/vcdiff.hpp"
#include "realtime/extras.hpp"

namespace realtime {
namespace {

using protocol::Binary;
using protocol::Message;

/// The data as a client's decoder keeps it for the next delta (RTL19b); null when there is none to rely on. A decoder keeps what it
/// could decode: other encodings than these it may not know or have no key for, and what only claims to be JSON it keeps nothing of.
/// No great loss: what is encrypted is never like what was before.
const std::string* payload(const Message& message) {
    const auto* text = std::get_if<std::string>(&message.data);
    if (message.encoding == "json") {
        if (!text) return nullptr;
        protocol::JsonReader in{*text};
        return in.skip() && in.at_end() ? text : nullptr;
    }
    if (!message.encoding.empty()) return nullptr;
    if (text) return text;
    const auto* binary = std::get_if<Binary>(&message.data);
    return binary ? &binary->bytes : nullptr;
}

std::string delta_from(std::string_view id) {
    std::string json;
    protocol::JsonWriter out{json};
    out.object([&] {
        out.key("from");
        out.text(id);
        out.key("format");
        out.text("vcdiff");
    });
    return json;
}

void make_delta(Message& message, const Message& before) {
    const auto *from = payload(before), *to = payload(message);
    if (!from || !to) return;
    auto delta = protocol::vcdiff_encode(*from, *to);
    if (delta.size() / 3 * 4 >= to->size()) return;  // in JSON it is base64
    if (std::holds_alternative<std::string>(message.data)) message.encoding += message.encoding.empty() ? "utf-8" : "/utf-8";
    message.encoding += message.encoding.empty() ? "vcdiff" : "/vcdiff";
    message.data = Binary{std::move(delta)};
    message.extras.text = with_member(message.extras.text, "delta", delta_from(before.id));  // TM2i
}

}  // namespace

void make_deltas(std::vector<Message>& messages, const Message* before) {
    for (auto i = messages.size(); i-- > 1;) make_delta(messages[i], messages[i - 1]);  // the one before is whole yet
    if (before && !messages.empty()) make_delta(messages.front(), *before);
}

bool claims_delta(std::string_view encoding) {
    while (!encoding.empty()) {
        const auto step = encoding.substr(0, encoding.find('/'));
        if (step == "vcdiff") return true;
        encoding.remove_prefix(std::min(step.size() + 1, encoding.size()));
    }
    return false;
}

void drop_delta(protocol::JsonText& extras) { drop_member(extras, "delta"); }

}  // namespace realtime
