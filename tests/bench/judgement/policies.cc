#include "tests/bench/judgement/policies.h"

#include "tests/bench/judgement/aimd.h"
#include "tests/bench/judgement/argo.h"
#include "tests/bench/judgement/flagger.h"
#include "tests/bench/judgement/headgate_policy.h"
#include "tests/bench/judgement/kayenta.h"
#include "tests/bench/judgement/poll.h"
#include "tests/bench/judgement/restarted.h"

namespace headgate::bench {
namespace {

constexpr NamedPolicy kPolicies[] = {
    {"headgate", MakeHeadgate},
    {"headgate-nodb", MakeHeadgateWithoutDatabase},
    {"flagger-60x5",
     [](const Site& site) {
       return RestartedByAPerson([=] { return MakeFlagger(site, kFlaggerTutorial); });
     }},
    {"flagger-60x1",
     [](const Site& site) {
       return RestartedByAPerson([=] { return MakeFlagger(site, kFlaggerDefault); });
     }},
    {"flagger-10x5",
     [](const Site& site) {
       return RestartedByAPerson([=] { return MakeFlagger(site, kFlaggerFloor); });
     }},
    {"argo-5m",
     [](const Site& site) {
       return RestartedByAPerson([=] { return MakeArgo(site, kArgoDocumented); });
     }},
    {"argo-10s",
     [](const Site& site) {
       return RestartedByAPerson([=] { return MakeArgo(site, kArgoTight); });
     }},
    {"kayenta",
     [](const Site& site) { return RestartedByAPerson([=] { return MakeKayenta(site); }); }},
    {"poll5", [](const Site& site) { return RestartedByAPerson([=] { return MakePoll(site); }); }},
    {"aimd", [](const Site& site) { return MakeAimd(site); }},
};

}  // namespace

std::span<const NamedPolicy> Policies() { return kPolicies; }

}  // namespace headgate::bench
