// The protocol's values as words, and one-line accounts of a gate. Pure; any thread.
#pragma once

#include <optional>
#include <string>

#include "cli/text.h"
#include "headgate/v1/operator.pb.h"

namespace headgate::cli {

std::string_view WordOf(v1::Phase phase);
std::string_view WordOf(v1::Verdict verdict);
std::string_view WordOf(v1::Stage stage);
Color ColorOf(v1::Verdict verdict);
Color ColorOf(v1::Phase phase);

bool IsRunning(const v1::Gate& gate);
bool HasEnded(v1::Phase phase);
// A hand moved the gate after its newest restoration had ended: what is so leads, not that end.
bool HasMovedSinceItsEnd(const v1::Gate& gate);
// "CLOSED by operator anna", "OPEN by approver bob", "AT 50 % by …".
std::string MovedText(const v1::Gate& gate);

// "HEALTHY", "UNKNOWN (too few)", "UNKNOWN (no data)".
std::string VerdictText(const v1::CheckState& check);
// "errors HEALTHY 0.31 % (limit 1 %, 0.3 s old)".
std::string CheckLine(const v1::CheckState& check);
// "operator anna: start: …"; empty if there is no cause.
std::string CauseText(const v1::Cause& cause);
// What the connected load balancers enforce: "5 %", "1 % to 5 %, 1 unknown", "nothing yet".
std::string ObservedText(const v1::Gate& gate);
// "connected", "LOST", or "ABSENT" if it has not connected since the controller started.
std::string LinkText(const v1::Agent& agent);
// The gate's load balancers, those that have not connected included.
int ExpectedAgents(const v1::Gate& gate);
// What is wrong with an agent, in words; empty if nothing is.
std::string TroubleOf(const v1::Agent& agent, TimePoint now);
// "5 %", "-" while it touches nothing, "unknown" if it has said nothing.
std::string EnforcedText(const v1::Agent& agent);
// The loud marks: open without evidence, not recorded, no raise.
Lines Warnings(const v1::Gate& gate, TimePoint now);

}  // namespace headgate::cli
