// Journals written by hand, for the tests of the offline judge.
#pragma once

#include <fstream>

#include "crypto/digest.hpp"
#include "sandbox/journal.hpp"
#include "sandbox/sandbox.hpp"
#include "tests/sandbox/support.hpp"

namespace pfx::test {

using sandbox::line;
using sandbox::summary;

inline std::string hex_of(std::string_view text) { return to_hex(crypto::sha256(as_bytes(text))); }

inline std::string txid_of(const std::string& context, std::uint8_t generation = 0) {
  return to_hex(
    crypto::sha256(transaction_id_preimage("sandbox", context, "Sandbox-CA", generation)));
}

/// Two journals written by hand. Each helper writes what an untroubled run would.
class pages {
public:
  pages() { service(line("started").text("tenant", "sandbox")); }

  void service(const line& one) { journal_ += one.finish(0, ++now_); }
  void authority(const line& one) { ca_ += one.finish(0, ++now_); }
  void raw(const std::string& text) { journal_ += text; }

  void ordered(const std::string& context, const std::string& expected = "success") {
    service(line("ordered")
              .text("context", context)
              .text("kind", "create-ec")
              .text("expected", expected)
              .text("authority", "Sandbox-CA"));
  }
  void handed(const std::string& context, bool again = false) {
    service(line("handed_out")
              .text("context", context)
              .text("connector", "c")
              .number("copy", 0)
              .flag("redelivery", again));
  }
  void issued(const std::string& context, const std::string& name, std::uint8_t generation = 0) {
    authority(line("issued")
                .text("txid", txid_of(context, generation))
                .text("serial", "5e" + name)
                .text("thumbprint", hex_of(name))
                .text("public_key", hex_of("key of " + name)));
  }
  void revoked(const std::string& name) { authority(line("revoked").text("serial", "5e" + name)); }
  void uploaded(const std::string& context, const std::string& what, const std::string& status,
                const std::string& connector = "c") {
    service(line("upload")
              .text("context", context)
              .text("connector", connector)
              .text("digest", hex_of(what))
              .flag("document", true)
              .text("status", status));
  }
  void recorded(const std::string& context, const std::string& name, bool succeeded = true) {
    uploaded(context, name, "accepted");
    service(line("recorded")
              .text("context", context)
              .text("connector", "c")
              .text("digest", hex_of(name))
              .flag("succeeded", succeeded)
              .text("thumbprint", succeeded ? hex_of(name) : "")
              .number("code", succeeded ? 0 : 4002));
  }
  void judged(const std::string& context, bool as_expected, const std::string& key = "") {
    service(line("judged")
              .text("context", context)
              .flag("as_expected", as_expected)
              .text("public_key", key.empty() ? "" : hex_of(key)));
  }
  void untroubled(const std::string& context) {
    ordered(context);
    handed(context);
    issued(context, context);
    recorded(context, context);
    judged(context, true, "key of " + context);
  }
  void imported(const std::string& context) {
    service(line("ordered")
              .text("context", context)
              .text("kind", "import")
              .flag("import", true)
              .text("expected", "success")
              .text("alike", "")
              .text("authority", ""));
    handed(context);
    uploaded(context, context, "accepted");
    service(line("recorded")
              .text("context", context)
              .text("connector", "c")
              .text("digest", hex_of(context))
              .flag("succeeded", true)
              .text("thumbprint", "")
              .number("code", 0));
    judged(context, true);
  }
  result<summary> verdict() {
    std::ofstream(folder_.path("journal.jsonl")) << journal_;
    std::ofstream(folder_.path("ca-journal.jsonl")) << ca_;
    return sandbox::judge(folder_.folder());
  }

private:
  scratch folder_;
  std::string journal_;
  std::string ca_;
  std::int64_t now_ = 0;
};

} // namespace pfx::test
