// What creates and imports have in common: verdicts as events, recipients, frozen bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "actors/tasks/audit.hpp"
#include "actors/tasks/plant.hpp"

namespace pfx::actors::tasks {

/// A final refusal; `why` goes to the service.
[[nodiscard]] lifecycle::event refused(const error& why, bool retryable = false);
/// Our own trouble or the machine's: tried again.
[[nodiscard]] lifecycle::event failed(lifecycle::event_kind kind, const error& why);
/// True for a fault of the input or of policy.
[[nodiscard]] bool is_final(errc code) noexcept;
/// refused() or work_failed, as is_final() says.
[[nodiscard]] lifecycle::event fault_of_work(const error& why);
/// Puts `prefix` before the field.
[[nodiscard]] error under(std::string_view prefix, error why);

/// All recipients may have it by today's policy, or none gets it; a refusal is audited.
[[nodiscard]] result<void> admit_recipients(const plant& p, const request_key& key,
                                            const pfx_request& request);
/// The password encrypted to every recipient. Asks the policy again: what it refuses by now gets
/// nothing.
[[nodiscard]] result<std::vector<delivery>> wrap_for_recipients(const plant& p,
                                                                const pfx_request& request,
                                                                byte_view password);

/// The document's bytes, frozen and sealed: `built`, or `build_failed`.
[[nodiscard]] lifecycle::event freeze(const plant& p, const request_key& key,
                                      const request_result& document);

} // namespace pfx::actors::tasks
