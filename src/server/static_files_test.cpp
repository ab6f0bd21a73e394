#include "server/static_files.hpp"

#include <unistd.h>

#include <fstream>

#include <gtest/gtest.h>

#include "net/gzip.hpp"

namespace server {
namespace {

class StaticFilesTest : public testing::Test {
protected:
    StaticFilesTest() {
        std::filesystem::create_directories(folder_ / "sub");
        write("index.html", page);
        write("sub/index.html", "<p>sub");
        write("app.js", std::string(5'000, 'x'));
        write("small.js", "x");
    }
    ~StaticFilesTest() override { std::filesystem::remove_all(folder_); }

    void write(const std::string& name, const std::string& content) { std::ofstream{folder_ / name, std::ios::binary} << content; }
    static std::string header(const net::HttpResponse& response, std::string_view name) {
        for (const auto& [key, value] : response.headers) {
            if (key == name) return value;
        }
        return {};
    }
    std::optional<net::HttpResponse> get(std::vector<std::string> segments, std::map<std::string, std::string> headers = {}) const {
        return StaticFiles{folder_}.find({.method = "GET", .segments = std::move(segments), .headers = std::move(headers)});
    }

    const std::string page =
        "<!DOCTYPE html><script type=\"module\" src=\"/app.js\"></script><script>alert('hi')</script>"
        "<script type=\"application/json\">{}</script>";

private:
    std::filesystem::path folder_ = std::filesystem::path{testing::TempDir()} / ("static-files-" + std::to_string(::getpid()));
};

TEST_F(StaticFilesTest, a_file_is_at_its_path_and_a_folder_has_an_index) {
    EXPECT_EQ(*get({})->shared_body, page);
    EXPECT_EQ(*get({"sub"})->shared_body, "<p>sub");
    EXPECT_EQ(*get({"sub", "index.html"})->shared_body, "<p>sub");
    for (const auto& nowhere : std::vector<std::vector<std::string>>{{"nothing"}, {"..", "index.html"}, {"app.js", "x"}})
        EXPECT_FALSE(get(nowhere));
}

TEST_F(StaticFilesTest, is_compressed_for_who_accepts_it_and_each_form_has_its_own_tag) {
    const auto plain = *get({"app.js"}), gzipped = *get({"app.js"}, {{"accept-encoding", "br, gzip"}});
    EXPECT_EQ(net::gunzip(*gzipped.shared_body, 10'000), *plain.shared_body);
    EXPECT_EQ(header(gzipped, "Content-Encoding"), "gzip");
    EXPECT_EQ(header(plain, "Content-Encoding"), "");
    for (const auto& each : {plain, gzipped}) EXPECT_EQ(header(each, "Vary"), "Accept-Encoding");
    EXPECT_NE(header(plain, "ETag"), header(gzipped, "ETag"));
    const auto small = *get({"small.js"}, {{"accept-encoding", "gzip"}});
    EXPECT_EQ(*small.shared_body, "x");
    EXPECT_EQ(header(small, "Vary"), "");
}

TEST_F(StaticFilesTest, RFC9110_13_1_2_who_has_that_form_is_told_so) {
    for (const auto* accepted : {"", "gzip"}) {
        const auto tag = header(*get({"app.js"}, {{"accept-encoding", accepted}}), "ETag");
        for (const auto& list : {tag, "W/" + tag, "\"other\" , " + tag, std::string{"*"}}) {
            const auto response = *get({"app.js"}, {{"accept-encoding", accepted}, {"if-none-match", list}});
            EXPECT_EQ(response.status, 304) << list;
            EXPECT_EQ(header(response, "ETag"), tag);
            EXPECT_EQ(header(response, "Content-Encoding"), "");
            EXPECT_FALSE(response.shared_body);
        }
    }
    const auto tag = header(*get({"app.js"}), "ETag");
    EXPECT_EQ(get({"app.js"}, {{"accept-encoding", "gzip"}, {"if-none-match", tag}})->status, 200) << "the other form";
}

TEST_F(StaticFilesTest, a_page_runs_its_own_scripts_and_no_others) {
    const auto policy = header(*get({}), "Content-Security-Policy");
    // echo -n "alert('hi')" | openssl dgst -sha256 -binary | base64
    EXPECT_NE(policy.find("script-src 'self' 'sha256-XTqNqFSUlZHAW7f/OGNYSOEzxKhjdAAGMXoid2VEbJk=';"), policy.npos) << policy;
    for (const auto* part : {"default-src 'none'", "connect-src 'self'", "base-uri 'none'", "frame-ancestors 'none'"}) {
        EXPECT_NE(policy.find(part), policy.npos) << part;
    }
    EXPECT_EQ(policy.find("unsafe"), policy.npos);
    EXPECT_EQ(header(*get({"app.js"}), "Content-Security-Policy"), "");
    for (const auto& file : std::vector<std::vector<std::string>>{{}, {"app.js"}}) {
        EXPECT_EQ(header(*get(file), "X-Content-Type-Options"), "nosniff");
        EXPECT_EQ(header(*get(file), "Referrer-Policy"), "no-referrer");
    }
}

}  // namespace
}  // namespace server
