// Each rule finds a planted bad sample, and leaves a good one of the same look alone.
#include "tests/tidy/rules.hpp"

#include <algorithm>

#include "tests/catch.hpp"

using namespace pfx::tidy;

namespace {

/// True if `rule` finds something in `body`, put into a well-formed file at `path`.
bool finds(const std::string& rule, const std::string& path, const std::string& body) {
  const std::string head = is_header(path) ? "// A sample.\n#pragma once\n" : "// A sample.\n";
  const auto found = check(read_source(path, head + body));
  return std::any_of(found.begin(), found.end(),
                     [&rule](const finding& one) { return one.rule == rule; });
}

/// True if any rule finds something.
bool finds_any(const std::string& path, const std::string& body) {
  return !check(read_source(path, "// A sample.\n" + body)).empty();
}

bool arrow(const std::string& from, const std::string& to) {
  return !finds("arrows", from, "#include \"" + to + "\"\n");
}

bool party(const std::string& from, const std::string& what) {
  return !finds("parties", from, "#include <" + what + ">\n");
}

std::string lines(std::size_t count) {
  std::string out;
  for (std::size_t at = 0; at < count; ++at) {
    out += "  work();\n";
  }
  return out;
}

} // namespace

// -- arrows -------------------------------------------------------------------

TEST_CASE("the arrows of the architecture and no others are allowed", "[tidy][self]") {
  CHECK(arrow("core/a.cpp", "core/bytes.hpp"));
  CHECK(arrow("crypto/a.cpp", "core/bytes.hpp"));
  CHECK(arrow("storage/a.hpp", "core/bytes.hpp"));
  CHECK(arrow("connect/service/a.cpp", "connect/http/client.hpp"));
  CHECK(arrow("connect/service/a.cpp", "connect/service/b.hpp"));
  CHECK(arrow("connect/ca/a.cpp", "storage/ca_index.hpp"));
  CHECK(arrow("connect/intune/a.cpp", "connect/http/client.hpp"));
  CHECK(arrow("connect/intune/a.cpp", "crypto/rsa_signature.hpp"));
  CHECK(arrow("actors/a.cpp", "storage/store.hpp"));
  CHECK(arrow("engine/a.cpp", "actors/interfaces.hpp"));
  CHECK(arrow("app/main.cpp", "engine/engine.hpp"));
  CHECK(arrow("app/main.cpp", "sandbox/sandbox.hpp"));
  CHECK(arrow("app/a.cpp", "release/maker.hpp"));
  CHECK(arrow("release/a.cpp", "crypto/release.hpp"));
  CHECK(arrow("actors/a.cpp", "release/feed.hpp"));
  CHECK(arrow("switcher/main.cpp", "release/switch.hpp"));
  CHECK(arrow("sandbox/a.cpp", "connect/http/server.hpp"));
  CHECK(arrow("tests/core/a.cpp", "core/bytes.hpp"));
}

TEST_CASE("every forbidden arrow is found", "[tidy][self]") {
  for (const auto* room : {"crypto", "storage", "connect", "actors", "engine", "app", "sandbox"}) {
    CAPTURE(room);
    CHECK_FALSE(arrow("core/a.cpp", std::string(room) + "/b.hpp"));
  }
  CHECK_FALSE(arrow("crypto/a.hpp", "storage/store.hpp"));
  CHECK_FALSE(arrow("storage/a.cpp", "crypto/seal.hpp"));
  CHECK_FALSE(arrow("connect/service/a.cpp", "storage/store.hpp"));
  CHECK_FALSE(arrow("connect/ca/a.cpp", "storage/store.hpp"));
  CHECK_FALSE(arrow("connect/service/a.cpp", "connect/ca/a.hpp"));
  CHECK_FALSE(arrow("connect/ca/a.cpp", "connect/service/a.hpp"));
  CHECK_FALSE(arrow("connect/scep/a.cpp", "connect/ca/a.hpp"));
  CHECK_FALSE(arrow("connect/intune/a.cpp", "connect/service/a.hpp"));
  CHECK_FALSE(arrow("connect/intune/a.cpp", "connect/ca/a.hpp"));
  CHECK_FALSE(arrow("connect/intune/a.cpp", "storage/store.hpp"));
  CHECK_FALSE(arrow("connect/service/a.cpp", "connect/intune/a.hpp"));
  CHECK_FALSE(arrow("connect/http/a.cpp", "connect/service/a.hpp"));
  CHECK_FALSE(arrow("connect/http/a.cpp", "connect/ca/a.hpp"));
  CHECK_FALSE(arrow("actors/a.cpp", "engine/engine.hpp"));
  CHECK_FALSE(arrow("actors/a.cpp", "sandbox/sandbox.hpp"));
  CHECK_FALSE(arrow("engine/a.cpp", "sandbox/sandbox.hpp"));
  CHECK_FALSE(arrow("engine/a.cpp", "app/main.hpp"));
  CHECK_FALSE(arrow("app/main.cpp", "sandbox/judge.hpp"));
  CHECK_FALSE(arrow("app/main.cpp", "crypto/seal.hpp"));
  CHECK_FALSE(arrow("app/main.cpp", "actors/interfaces.hpp"));
  CHECK_FALSE(arrow("app/main.cpp", "release/staging.hpp"));
  CHECK_FALSE(arrow("release/a.cpp", "connect/http/client.hpp"));
  CHECK_FALSE(arrow("release/a.cpp", "storage/store.hpp"));
  CHECK_FALSE(arrow("connect/http/a.cpp", "release/feed.hpp"));
  CHECK_FALSE(arrow("switcher/main.cpp", "engine/engine.hpp"));
  CHECK_FALSE(arrow("switcher/main.cpp", "connect/http/client.hpp"));
  CHECK_FALSE(arrow("sandbox/judge.cpp", "actors/interfaces.hpp"));
  CHECK_FALSE(arrow("sandbox/judge.cpp", "engine/engine.hpp"));
  CHECK_FALSE(arrow("core/a.cpp", "tests/catch.hpp"));
  CHECK_FALSE(arrow("examples/host.cpp", "storage/store.hpp"));
  CHECK_FALSE(arrow("core/a.cpp", "../crypto/seal.hpp"));
}

TEST_CASE("an include is found however it is written, and not in a comment", "[tidy][self]") {
  CHECK(finds("arrows", "core/a.cpp", "  #  include <crypto/seal.hpp>\n"));
  CHECK(finds("arrows", "core/a.cpp", "#if X\n#include\t\"crypto/seal.hpp\" // why\n#endif\n"));
  CHECK_FALSE(finds("arrows", "core/a.cpp", "// #include \"crypto/seal.hpp\"\n"));
  CHECK_FALSE(finds("arrows", "core/a.cpp", "/*\n#include \"crypto/seal.hpp\"\n*/\n"));
}

TEST_CASE("third parties are named in their own room alone", "[tidy][self]") {
  CHECK(party("actors/a.hpp", "caf/all.hpp"));
  CHECK(party("crypto/openssl.hpp", "openssl/evp.h"));
  CHECK(party("connect/http/tls.cpp", "openssl/ssl.h"));
  CHECK(party("storage/store.cpp", "rocksdb/db.h"));
  CHECK(party("connect/service/a.cpp", "nlohmann/json.hpp"));
  CHECK(party("app/main.cpp", "CLI/CLI.hpp"));
  CHECK_FALSE(party("engine/a.cpp", "caf/all.hpp"));
  CHECK_FALSE(party("core/a.cpp", "caf/all.hpp"));
  CHECK_FALSE(party("connect/ca/a.cpp", "openssl/x509.h"));
  CHECK_FALSE(party("core/a.cpp", "openssl/crypto.h"));
  CHECK_FALSE(party("sandbox/a.cpp", "openssl/x509.h"));
  CHECK_FALSE(party("actors/a.cpp", "rocksdb/db.h"));
  CHECK_FALSE(party("storage/store.hpp", "rocksdb/db.h"));
  CHECK_FALSE(party("app/main.cpp", "nlohmann/json.hpp"));
  CHECK_FALSE(party("actors/a.cpp", "nlohmann/json.hpp"));
  CHECK_FALSE(party("storage/a.cpp", "nlohmann/json_fwd.hpp"));
  CHECK_FALSE(party("connect/service/a.cpp", "curl/curl.h"));
  CHECK_FALSE(party("sandbox/a.cpp", "boost/beast.hpp"));
  CHECK_FALSE(party("actors/a.cpp", "spdlog/spdlog.h"));
  CHECK_FALSE(party("engine/a.cpp", "CLI/CLI.hpp"));
}

// -- shape --------------------------------------------------------------------

TEST_CASE("a line is at most 100 characters, not octets", "[tidy][self]") {
  CHECK(finds("long-line", "core/a.cpp", "// " + std::string(98, 'x') + "\n"));
  CHECK_FALSE(finds("long-line", "core/a.cpp", "// " + std::string(97, 'x') + "\n"));
  std::string greek;
  for (int at = 0; at < 97; ++at) {
    greek += "\u03b1";
  }
  CHECK_FALSE(finds("long-line", "core/a.cpp", "// " + greek + "\n"));
}

TEST_CASE("a function is at most 70 lines, wherever it stands", "[tidy][self]") {
  const auto hit
    = [](const std::string& body) { return finds("long-function", "core/a.cpp", body); };
  CHECK_FALSE(hit("void f() {\n" + lines(68) + "}\n"));
  CHECK(hit("void f() {\n" + lines(69) + "}\n"));
  CHECK(hit("namespace a {\nnamespace {\nstruct b {\n  int f() const noexcept {\n" + lines(69)
            + "  }\n};\n}\n}\n"));
  CHECK(hit("template <class T>\nT f(T x) {\n" + lines(69) + "}\n"));
  CHECK(hit("a::a(int x) : b_{x}, c_{1} {\n" + lines(69) + "}\n"));
  CHECK(hit("class a : b<c> {\npublic:\n  a() : b_(1) {\n" + lines(69) + "  }\n};\n"));
  CHECK(hit("void f() {\n  g([] {\n" + lines(69) + "  });\n}\n"));
  CHECK(hit("void f() {\n  const char* x = \"}\"; // }\n  char c = '}';\n" + lines(67) + "}\n"));
  CHECK(hit("void f() {\n  auto x = R\"({}}}\")\";\n" + lines(68) + "}\n"));
  CHECK(hit("void g() {}\nvoid f(int x = 1'000) {\n" + lines(69) + "}\n"));
}

TEST_CASE("types, namespaces and tables may be longer than a function", "[tidy][self]") {
  std::string members;
  std::string rows;
  for (int at = 0; at < 90; ++at) {
    members += "  int f() { return 1; }\n";
    rows += "  {1, \"a(b)\"},\n";
  }
  CHECK_FALSE(finds("long-function", "core/a.cpp", "struct a {\n" + members + "};\n"));
  CHECK_FALSE(
    finds("long-function", "core/a.cpp", "struct a : b<decltype(c())> {\n" + members + "};\n"));
  CHECK_FALSE(finds("long-function", "core/a.cpp", "namespace a {\n" + members + "}\n"));
  CHECK_FALSE(finds("long-function", "core/a.cpp", "constexpr x y = {{\n" + rows + "}};\n"));
  CHECK_FALSE(
    finds("long-function", "core/a.cpp", "CAF_MACRO(a)\nnamespace a {\n" + members + "}\n"));
  CHECK_FALSE(finds("long-function", "core/a.cpp",
                    "#define OPEN {\n#define F(x) do { \\\n  x; {\n" + members));
}

TEST_CASE("a file is at most 400 lines", "[tidy][self]") {
  CHECK_FALSE(finds("long-file", "core/a.cpp", std::string(399, '\n')));
  CHECK(finds("long-file", "core/a.cpp", std::string(400, '\n')));
}

TEST_CASE("a file opens with a sentence, a header with its pragma too", "[tidy][self]") {
  CHECK(check(read_source("core/a.cpp", "int x;\n")).front().rule == "opening");
  CHECK(check(read_source("core/a.cpp", "")).front().rule == "opening");
  CHECK(check(read_source("core/a.hpp", "// A sample.\n")).front().rule == "pragma-once");
  CHECK(check(read_source("core/a.hpp", "// A sample.\n#pragma once\n")).empty());
}

TEST_CASE("white space is plain", "[tidy][self]") {
  CHECK(finds("whitespace", "core/a.cpp", "int x; \n"));
  CHECK(finds("whitespace", "core/a.cpp", "\tint x;\n"));
  CHECK(finds("whitespace", "core/a.cpp", "int x;\r\n"));
}

// -- words --------------------------------------------------------------------

TEST_CASE("what is left to do has a name behind it", "[tidy][self]") {
  const std::string open = std::string("TO") + "DO";
  for (const auto* path : {"core/a.cpp", "docs/a.md", "cmake/a.cmake", "check"}) {
    CAPTURE(path);
    CHECK(finds("todo", path, "// " + open + ": later\n"));
    CHECK(finds("todo", path, "// " + open + "() later\n"));
    CHECK(finds("todo", path, "// " + std::string("FIX") + "ME later\n"));
    CHECK(finds("todo", path, "# " + std::string("XX") + "X\n"));
    CHECK_FALSE(finds("todo", path, "// " + open + "(ada): later\n"));
    CHECK_FALSE(finds("todo", path, "// AU" + open + "X and " + open + "S\n"));
  }
}

TEST_CASE("only the program speaks to the terminal", "[tidy][self]") {
  for (const auto* code :
       {"std::cout << 1;", "std::cerr << 1;", "std::clog << 1;", "printf(\"x\");",
        "std::printf(\"x\");", "::fprintf(stderr, \"x\");", "puts(\"x\");", "perror(\"x\");"}) {
    CAPTURE(code);
    CHECK(finds("print", "engine/a.cpp", std::string("void f() { ") + code + " }\n"));
    CHECK_FALSE(finds("print", "app/main.cpp", std::string("void f() { ") + code + " }\n"));
  }
  CHECK_FALSE(finds("print", "core/a.cpp", "void f() { std::snprintf(a, b, c); }\n"));
  CHECK_FALSE(finds("print", "core/a.cpp", "// std::cout is for app\n"));
  CHECK_FALSE(finds("print", "core/a.cpp", "auto x = \"std::cout\";\n"));
}

TEST_CASE("actors neither print, nor await, nor wait for ever", "[tidy][self]") {
  CHECK(finds("aout", "actors/a.cpp", "void f() { aout(self) << 1; }\n"));
  CHECK(finds("aout", "actors/a.cpp", "void f() { caf::aout(self) << 1; }\n"));
  CHECK(finds("infinite", "actors/a.cpp", "void f() { self->request(x, caf::infinite, 1); }\n"));
  CHECK(finds("await", "actors/a.cpp", "void f() { self->request(x, y, 1).await(z); }\n"));
  CHECK_FALSE(finds_any("actors/a.cpp", "void f() { self->request(x, y, 1).then(z); }\n"));
  CHECK_FALSE(finds_any("actors/a.cpp", "void f() { layout(infinite_jest); }\n"));
}

TEST_CASE("a wait has a predicate or a limit", "[tidy][self]") {
  const std::string f = "void f() {\n  std::unique_lock lock(mutex);\n";
  CHECK(finds("endless-wait", "actors/a.cpp", f + "  ready.wait(lock);\n}\n"));
  CHECK(finds("endless-wait", "actors/a.cpp", f + "  ready->wait(lock);\n}\n"));
  CHECK(finds("endless-wait", "actors/a.cpp", f + "  ready.wait(\n    lock);\n}\n"));
  CHECK(finds("endless-wait", "actors/a.cpp",
              "void f(std::unique_lock<std::mutex>& held) { ready.wait(held); }\n"));
  CHECK(finds("endless-wait", "actors/a.cpp", "void f() { done.wait(); }\n"));
  CHECK_FALSE(finds_any("app/a.cpp", f + "  signals.wait(tick);\n}\n"));
  CHECK_FALSE(finds_any("actors/a.cpp", f + "  ready.wait(lock, [] { return true; });\n}\n"));
  CHECK_FALSE(finds_any("actors/a.cpp", f + "  ready.wait(lock,\n    stop);\n}\n"));
  CHECK_FALSE(finds_any("actors/a.cpp", f + "  ready.wait_for(lock, limit);\n}\n"));
  for (const auto* code : {"std::this_thread::sleep_for(x);", "std::this_thread::sleep_until(x);",
                           "::sleep(1);", "usleep(1);", "::nanosleep(a, b);"}) {
    CAPTURE(code);
    CHECK(finds("sleep", "connect/http/a.cpp", std::string("void f() { ") + code + " }\n"));
  }
}

TEST_CASE("nothing points at one machine or at papers outside the project", "[tidy][self]") {
  for (const auto* path : {"core/a.cpp", "docs/a.md", "tests/stages/10-a.sh", "quickstart"}) {
    CAPTURE(path);
    CHECK(finds("banned-word", path, "// see /wo" + std::string("rk/shared\n")));
    CHECK(finds("banned-word", path, "// in /ho" + std::string("me/ada\n")));
    CHECK(finds("banned-word", path, "// Iss" + std::string("ue #12\n")));
    CHECK_FALSE(finds("banned-word", path, "// the network/working/issuer\n"));
  }
}
