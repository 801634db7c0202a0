// The protocol's values as words, and one-line accounts of a gate. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "cli/text.h"
#include "headgate/v1/operator.pb.h"

namespace headgate::cli {

std::string_view WordOf(v1::Phase phase);
std::string_view WordOf(v1::Verdict verdict);
std::string_view WordOf(v1::Stage stage);
// "1 agent connected".
std::string AgentsConnectedText(std::uint64_t count);
Color ColorOf(v1::Verdict verdict);
Color ColorOf(v1::Phase phase);

bool IsRunning(const v1::Gate& gate);
bool HasEnded(v1::Phase phase);
// Nobody is let in, and no restoration runs that would change it.
bool IsClosed(const v1::Gate& gate);
// It is closed, or a hand moved the gate after its newest restoration had ended: what is so leads,
// not that end.
bool StandsByItself(const v1::Gate& gate);
// Of such a gate: "CLOSED by operator anna", "OPEN by approver bob", "AT 50 % by …".
std::string StandsText(const v1::Gate& gate);
// "for 41 s", or "since before the restart" where nobody knows since when.
std::string StandsSince(const v1::Gate& gate, TimePoint now);

// "HEALTHY", "UNKNOWN (no data)", "UNKNOWN (too few)", "UNKNOWN (unproven)": at most 18 columns.
std::string VerdictText(const v1::CheckState& check);
// The check is silent because its restoration has ended: nobody asks it any more.
bool IsNotWatched(const v1::CheckState& check, const v1::Gate& gate);
inline constexpr char kNotWatched[] = "not watched since it ended";
// "errors HEALTHY 0.31 % (limit 1 %, 0.3 s old)".
std::string CheckLine(const v1::CheckState& check, const v1::Gate& gate);
// "operator anna: start: …"; empty if there is no cause.
std::string CauseText(const v1::Cause& cause);
// Its load balancer's share is known now: it is connected, has the gate, and does not refuse.
bool TellsShare(const v1::Agent& agent);
// What the load balancers enforce: "5 %", "1 % to 5 %", "0 %, 1 unknown (last 100 %)", "nothing
// yet".
std::string ObservedText(const v1::Gate& gate);
// "connected", "LOST", or "ABSENT" if it has not connected since the controller started.
std::string LinkText(const v1::Agent& agent);
// The gate's load balancers, those that have not connected included.
int ExpectedAgents(const v1::Gate& gate);
// What is wrong with an agent of the gate, in words; empty if nothing is. What only lasts as long
// as an order takes is not wrong.
std::string TroubleOf(const v1::Agent& agent, const v1::Gate& gate, TimePoint now);
// The same without what changes at every look.
std::string GistOfTrouble(const v1::Agent& agent, const v1::Gate& gate);
// kNone where nothing is wrong; kBad where more may be let in than the gate says, or nobody knows.
Color ColorOfTrouble(const v1::Agent& agent, const v1::Gate& gate);
// "5 %", "was 5 %" if it does not tell now, "-" while it touches nothing, "unknown" if it has said
// nothing.
std::string EnforcedText(const v1::Agent& agent);
// The loud marks: open without evidence, not recorded, no raise.
Lines Warnings(const v1::Gate& gate);

}  // namespace headgate::cli
