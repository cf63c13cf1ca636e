// The words for each move, and a line for a state.
#include "tests/model/stories.hpp"

namespace pfx::model {

namespace {

constexpr std::string_view words[] = {
  "download: handed out",
  "download: handed out, answer lost",
  "takes the download",
  "takes a download with another body",
  "acknowledges the settled record again",
  "the service's lease ends",
  "its own lease ends",
  "asks to renew the lease",
  "lease renewed",
  "renewal: held false, on its way",
  "hears held: false",
  "held: false is lost",
  "claims: an attempt starts",
  "key and intent are durable",
  "import: the bytes are durable",
  "the work takes long",
  "the work fails",
  "the work is refused",
  "submits before the intent is durable",
  "submits",
  "find: never seen",
  "find: issued to our key",
  "find: issued to a foreign key",
  "find: pending",
  "find: pending under a foreign key",
  "find: refused",
  "find: not supported",
  "builds, frozen",
  "the build fails",
  "uploads",
  "uploads before the bytes are durable",
  "query: open",
  "query: recorded",
  "query: unknown",
  "walk: asks for a transaction id",
  "walk: one is pending, waits",
  "walk: ends",
  "submission answered",
  "submission refused by the CA",
  "submission arrives, answer lost",
  "submission lost",
  "submission times out",
  "a late submission arrives",
  "a late submission is lost",
  "hears the answer of a late submission",
  "upload arrives",
  "upload rejected",
  "upload lost",
  "upload times out",
  "hears the answer to its upload",
  "a late upload arrives",
  "a late upload is lost",
  "hears the answer of a late upload",
  "the CA grants what was pending",
  "the CA refuses what was pending",
  "revokes a certificate",
  "revokes a certificate, answer lost",
  "no submission can arrive any more",
  "a deadline passes",
  "operator: retry",
  "operator: give up",
  "crashes and starts again",
  "stops cleanly and starts again",
  "a backup is taken",
  "RESTORED from a backup",
  "a CLONE starts beside it",
  "reconciles",
  "the service forgets the request",
  "the service knows the request again",
};
static_assert(std::size(words) == static_cast<std::size_t>(move::service_knows_again) + 1);

} // namespace

std::string_view name_of(move what) noexcept { return words[static_cast<std::size_t>(what)]; }

std::string sentence(const successor& step) {
  const std::string who
    = step.who < 0 ? "" : std::string(1, static_cast<char>('A' + step.who)) + ": ";
  return who + std::string(name_of(step.what));
}

namespace {

std::string words_of(const connector& c) {
  const auto& r = c.record;
  std::string out
    = r.state == 0 ? "none" : std::string(pfx::name_of(static_cast<record_state>(r.state)));
  out += r.has_intent != 0 ? " key" + std::to_string(r.key) + " g" + std::to_string(r.generation)
                           : "";
  out += r.state != 0 ? " lease " + std::to_string(r.lease_number) : "";
  out += r.lease == lease_held ? " held" : "";
  out += r.failing != 0 ? " failing" : "";
  out += r.ask_first != 0 ? " ask_first" : "";
  out += r.ask_ca != 0 ? " ask_ca" : "";
  out += r.unanswered != 0 ? " unanswered" : "";
  out += r.lease_asked != 0 ? " lease_asked" : "";
  out += r.ticket != 0 ? " waits" : "";
  out += c.surplus != 0 ? " surplus " + std::to_string(c.surplus) : "";
  return out;
}

} // namespace

std::string describe(const plan& by, const state& s) {
  std::string out = "= service: ";
  out += s.recorded == 0               ? "nothing recorded"
    : !document::succeeded(s.recorded) ? "a failure recorded"
    : document::thumbprint(s.recorded) == 0
    ? "a file recorded"
    : "certificate g" + std::to_string(document::thumbprint(s.recorded) - 1) + " recorded";
  out += ", leaseNumber " + std::to_string(s.highest) + (s.leased != 0 ? " leased" : "") + "; CA:";
  for (std::size_t g = 0; g < slots; ++g) {
    if (const auto at = s.ca[g]; at != 0) {
      out += " g" + std::to_string(g) + "=key" + std::to_string((at & slot::key_mask) - 1);
      out += (at & slot::revoked) != 0 ? "(revoked)" : "";
      out += (at & slot::pending) != 0 ? "(pending)" : "";
      out += (at & slot::refused) != 0 ? "(refused)" : "";
    }
  }
  for (std::size_t i = 0; i < by.seats(); ++i) {
    if (s.at[i].exists != 0) {
      out += std::string("; ") + static_cast<char>('A' + i) + ": " + words_of(s.at[i]);
    }
  }
  return out;
}

} // namespace pfx::model
