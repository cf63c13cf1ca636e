// From the section "updates" to what the updater needs. Private to engine/; opens no feed before it
// is asked to.
#pragma once

#include "actors/tasks/update_work.hpp"
#include "engine/configuration.hpp"

namespace pfx::engine::detail {

/// errc::bad_input if the running version is no version.
[[nodiscard]] result<actors::tasks::update_plan> update_plan_of(const configuration& settings,
                                                                const std::string& connector_id);
[[nodiscard]] result<std::unique_ptr<release::feed>> open_feed(const configuration& settings);

} // namespace pfx::engine::detail
