// The rows of the section "updates".
#include <array>

#include "engine/settings_forms.hpp"
#include "release/updater.hpp"

namespace pfx::engine::detail {
namespace {

constexpr std::int64_t second = 1'000;

constexpr form feed_place{.pattern = "^(https://.+|/.+)$",
                          .sentence = "must begin with https:// or be the path of a folder",
                          .fits = [](std::string_view text) {
                            return text.starts_with("/")
                              || (text.starts_with("https://") && https_url.fits(text));
                          }};

constexpr form window_hours{
  .pattern = "^$|^([a-z]{3}(,[a-z]{3})* )?[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}$",
  .sentence = "must look like \"02:00-04:00\" or \"sat,sun 22:00-04:00\"",
  .fits = [](std::string_view text) { return release::window::from(text).has_value(); }};

constexpr std::array rows{
  setting{.path = "updates.feed",
          .is = shape::text,
          .sentence = "Where releases are: an address or a folder of static files.",
          .where = [](place in) -> slot { return &in.whole->updates->feed; },
          .mandatory = true,
          .looks = &feed_place},
  setting{.path = "updates.trustedRootsFile",
          .is = shape::file,
          .sentence = "PEM: the roots that the feed's TLS certificate must chain to.",
          .where = [](place in) -> slot { return &in.whole->updates->trusted_roots_file; },
          .default_note = "the system's roots"},
  setting{.path = "updates.firstRootFile",
          .is = shape::file,
          .sentence = "The release root that came with the program; others follow from it.",
          .where = [](place in) -> slot { return &in.whole->updates->first_root_file; }},
  setting{.path = "updates.directory",
          .is = shape::file,
          .sentence = "Folder of what is believed, downloaded and staged.",
          .where = [](place in) -> slot { return &in.whole->updates->directory; },
          .default_note = "dataDirectory-updates"},
  setting{.path = "updates.checkIntervalSeconds",
          .is = shape::amount,
          .sentence = "Time between two looks at the feed.",
          .where = [](place in) -> slot { return &in.whole->updates->check_interval_ms; },
          .scale = second,
          .minimum = 1,
          .maximum = 604'800},
  setting{.path = "updates.apply",
          .is = shape::choice,
          .sentence = "Who asks for the switch to a staged version: the engine by itself, within "
                      "the window, or an operator by `pfxengine update apply`.",
          .where = [](place in) -> slot { return &in.whole->updates->apply; },
          .choices = "manual|automatic"},
  setting{.path = "updates.window",
          .is = shape::text,
          .sentence = "Hours in which a switch may be asked for, UTC, with the days on which they "
                      "begin if not on all: `sat,sun 22:00-04:00`. Empty: always.",
          .where = [](place in) -> slot { return &in.whole->updates->window; },
          .looks = &window_hours},
};

} // namespace

std::span<const setting> updates_settings_rows() noexcept { return rows; }

} // namespace pfx::engine::detail
