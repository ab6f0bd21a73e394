#include <gtest/gtest.h>

#include "base/limits.hpp"
#include "protocol/message.hpp"

namespace protocol {
namespace {

const std::string long_text(1'000, 'x');

TEST(SizeOf, TM6_a_message_counts_its_content) {
    EXPECT_EQ(size_of(Message{.client_id = "ann", .name = "n", .data = "data", .extras = {R"({"a":1})"}}), 3u + 1 + 4 + 7);
    EXPECT_EQ(size_of(Message{.data = Binary{"data"}}), 4u);
}

TEST(SizeOf, every_text_that_a_client_may_send_counts) {
    MessageVersion described, with_metadata;
    described.description = long_text;
    with_metadata.metadata.text = long_text;
    for (const auto& message : {Message{.id = long_text}, Message{.client_id = long_text}, Message{.name = long_text},
                                Message{.encoding = long_text}, Message{.data = long_text}, Message{.extras = {long_text}},
                                Message{.version = described}, Message{.version = with_metadata}}) {
        EXPECT_GE(size_of(message), long_text.size());
    }
    for (const auto& member : {PresenceMessage{.id = long_text}, PresenceMessage{.client_id = long_text},
                               PresenceMessage{.encoding = long_text}, PresenceMessage{.data = long_text},
                               PresenceMessage{.extras = {long_text}}}) {
        EXPECT_GE(size_of(member), long_text.size());
    }
    for (const auto& annotation : {Annotation{.id = long_text}, Annotation{.client_id = long_text}, Annotation{.name = long_text},
                                   Annotation{.encoding = long_text}, Annotation{.data = long_text}, Annotation{.extras = {long_text}},
                                   Annotation{.type = long_text}}) {
        EXPECT_GE(size_of(annotation), long_text.size());
    }
}

TEST(SizeOf, TM6_an_encoding_that_sdks_know_and_an_id_of_usual_length_count_for_nothing) {
    for (const auto* known : {"", "json", "utf-8", "base64", "json/utf-8/cipher+aes-256-cbc/base64", "utf-8/cipher+aes-128-cbc"})
        EXPECT_EQ(size_of(Message{.id = "ann-1:0", .encoding = known}), 0u) << known;
    for (const std::string unknown : {"jsonx", "json/", "/json", "x/json", "json/gzip"})
        EXPECT_EQ(size_of(Message{.encoding = unknown}), unknown.size());
    std::string repeated = "json";
    while (repeated.size() <= base::limits::known_encoding_bytes_max) repeated += "/json";
    EXPECT_EQ(size_of(PresenceMessage{.encoding = repeated}), repeated.size());
}

TEST(HeapBytes, are_what_texts_and_lists_have_allocated) {
    EXPECT_EQ(heap_bytes(Message{.name = "short"}), 0u);
    EXPECT_EQ(heap_bytes(Message{.name = std::string(16, 'x')}), 32u);
    EXPECT_EQ(heap_bytes(Message{.data = std::string(1'000, 'x')}), 1'024u);
    EXPECT_EQ(heap_bytes(Message{.data = Binary{std::string(65'536, 'x')}}), 81'920u);
    EXPECT_GE(heap_bytes(Message{.version = MessageVersion{.description = std::string(100, 'x')}}), sizeof(MessageVersion) + 101);
    ProtocolMessage full;
    full.messages.reserve(10);
    full.messages.push_back({});
    EXPECT_GE(heap_bytes(full), 10 * sizeof(Message));
}

}  // namespace
}  // namespace protocol
