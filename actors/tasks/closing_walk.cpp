// Asks for all generations, then compares what was shown. Decides what is not believed, nothing
// more.
#include "actors/tasks/closing_walk.hpp"

#include <algorithm>

#include "actors/tasks/authority_calls.hpp"
#include "actors/tasks/vault.hpp"
#include "core/limits.hpp"
#include "crypto/name.hpp"

namespace pfx::actors::tasks {

namespace {

using connect::ca::authority;
using connect::ca::ca_answer;
using connect::ca::ca_status;
using lifecycle::event;
using lifecycle::event_kind;

event plain(event_kind kind, const record& of, std::string_view text = {}) {
  event out;
  out.kind = kind;
  out.generation = of.generation;
  out.text = printable(text, 300);
  return out;
}

bool bear_the_same_names(const crypto::certificate& left, const crypto::certificate& right) {
  return left.subject() == right.subject() && left.alternative_names() == right.alternative_names();
}

/// The subject that the request asked for, as a certificate shows it; empty if it is not known
/// (another life of this connector had the request) or the request has none.
std::string subject_asked_for(const plant& p, const record& of) {
  const auto request = load_request(p, of.key);
  if (!request || request->create.subject.empty()) {
    return {};
  }
  const auto name = crypto::name_from_text(request->create.subject);
  const auto text = name ? crypto::name_to_text(*name) : result<std::string>(failure(name.error()));
  return text ? *text : std::string();
}

/// Why what was shown cannot all be this request's; empty if it can.
std::string doubt_of(const plant& p, const record& of,
                     const std::vector<crypto::certificate>& shown) {
  constexpr const char* of_others = "the CA shows a certificate of other names";
  if (of.outcome != settled_as::failed) {
    const auto recorded = std::find_if(shown.begin(), shown.end(), [&of](const auto& one) {
      return one.thumbprint() == of.recorded_thumbprint;
    });
    if (recorded == shown.end()) {
      return "the CA does not show the certificate that stands recorded";
    }
    const bool same = std::all_of(shown.begin(), shown.end(), [&recorded](const auto& one) {
      return bear_the_same_names(one, *recorded);
    });
    return same ? "" : of_others;
  }
  if (shown.empty()) {
    return {};
  }
  const auto subject = subject_asked_for(p, of);
  const bool same = subject.empty()
    || std::all_of(shown.begin(), shown.end(),
                   [&](const auto& one) { return one.subject() == subject; });
  return same ? "" : of_others;
}

event ended(const plant& p, const record& of, event out,
            const std::vector<crypto::certificate>& shown) {
  out.text = doubt_of(p, of, shown);
  out.walk_doubted = !out.text.empty();
  out.walk_ended = true;
  return out;
}

} // namespace

ca_answer about(const digest& asked, ca_answer answer) {
  if (!answer.issued_under.present() || answer.issued_under == asked) {
    return answer;
  }
  ca_answer out;
  out.status = ca_status::unknown;
  out.reason = "the CA answered about another transaction";
  return out;
}

event walk(const plant& p, authority& ca, const record& of) {
  auto out = plain(event_kind::walked, of);
  std::vector<crypto::certificate> shown;
  for (std::uint8_t g = 0; g < limits::generations_max; ++g) {
    const auto id = transaction_id(of, g);
    const auto answer = about(id, ca.find(id));
    switch (answer.status) {
      case ca_status::issued: {
        auto leaf = crypto::certificate::from_der(answer.certificate);
        if (!leaf) {
          return plain(event_kind::ca_unavailable, of, leaf.error().message);
        }
        out.found.push_back({g, leaf->issuer(), leaf->serial(), leaf->thumbprint()});
        shown.push_back(std::move(*leaf));
        break;
      }
      case ca_status::refused:
      case ca_status::closed:
        break;
      case ca_status::never_seen:
        if (g >= of.generation) {
          return ended(p, of, std::move(out), shown);
        }
        break;
      case ca_status::unsupported:
        out.walk_ended = true;
        out.text = "the CA cannot be asked";
        return out;
      default: {
        auto wait = plain(event_kind::ca_unavailable, of, "closing: " + answer.reason);
        wait.retry_after_ms = answer.retry_after_ms;
        return wait;
      }
    }
  }
  return ended(p, of, std::move(out), shown);
}

} // namespace pfx::actors::tasks
