// Each verb against a controller that behaves, and each exit code of a single call.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/cli/caller.h"
#include "tests/cli/fake_controller.h"
#include "tests/cli/gates.h"
#include "tests/support/temp_folder.h"

namespace headgate::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kPlan[] =
    "gate: shop\npreflight: {agents: [edge-1], ready_for: 0s}\nchecks:\n"
    "  - {name: errors, ratio: agents.http_5xx, limit: 1%}\n";
constexpr char kBadPlan[] =
    "gate: shop\npreflight: {agents: [edge-1]}\nchecks:\n"
    "  - {name: errors, ratio: agents.http_5xx}\n";

class Calls : public testing::Test {
 protected:
  Calls() {
    controller_.Change("shop", [](v1::Gate& gate) { gate = AdmittingGate(); });
  }

  FakeController controller_;
  Caller caller_{controller_.address()};
};

TEST_F(Calls, LoweringsAreConfirmedByEveryLoadBalancer) {
  const Said close = caller_.Type({"close", "shop", "--reason", "db1 corrupted"});
  EXPECT_EQ(close.code, 0) << close.err;
  EXPECT_EQ(close.out, "gate shop is closed: everybody gets the waiting page\n");
  EXPECT_EQ(controller_.gate("shop").share_ppm(), 0U);
  const v1::Mutation mutation = controller_.last_mutation();
  EXPECT_EQ(mutation.wait_for(), v1::WAIT_OBSERVED);
  // The list of those who do not obey is there within 2 s, the way there and back included.
  EXPECT_EQ(mutation.wait_timeout().seconds(), 1);
  EXPECT_EQ(mutation.wait_timeout().nanos(), 700'000'000);
  EXPECT_EQ(mutation.reason(), "db1 corrupted");
  EXPECT_FALSE(mutation.request_id().empty());
}

TEST_F(Calls, NoReasonKeepsAnybodyFromClosing) {
  // As a terminal types it that speaks Latin-1; and a long story.
  EXPECT_EQ(caller_.Type({"close", "shop", "--reason", "st\xF6rung"}).code, 0);
  EXPECT_EQ(controller_.last_mutation().reason(), "st\uFFFDrung");
  EXPECT_EQ(caller_.Type({"close", "shop", "--reason", std::string(5'000, 'x')}).code, 0);
  EXPECT_EQ(controller_.last_mutation().reason(), std::string(1'024, 'x'));
}

TEST_F(Calls, TheUnconfirmedAreNamedBeforeTheJournalIsAskedAbout) {
  controller_.Disobey("edge-2", "not connected for 41 s");
  controller_.FailJournal();
  std::vector<std::string> said_before;
  controller_.on_question = [&] { said_before.push_back(caller_.err_so_far()); };
  const Said said = caller_.Type({"close", "shop"});
  EXPECT_EQ(said.code, 11);
  EXPECT_THAT(said.out, HasSubstr("THE JOURNAL DOES NOT HAVE IT: disk full"));
  EXPECT_THAT(said_before, testing::ElementsAre(HasSubstr("1 of 2 load balancers has NOT")));
}

TEST_F(Calls, StartSendsWhatTheBaselineBesideThePlanComesTo) {
  const test::TempFolder folder;
  const std::string plan = folder / "plan.yaml";
  test::WriteFile(plan, std::string(kPlan) +
                            "databases: {orders: {engine: postgres, primary: host=db1, expect: "
                            "schema.baseline}}\n");
  const Said none = caller_.Type({"start", plan, "--when-ready"});
  EXPECT_EQ(none.code, 3);
  EXPECT_THAT(none.err, HasSubstr("plan.yaml:5:67: databases.orders.expect: "));
  EXPECT_THAT(none.err, HasSubstr("--write-baseline writes one"));
  test::WriteFile(folder / "schema.baseline",
                  "# headgate baseline 2, postgres: one object a line\n"
                  "public | orders | table |  | a table\n");
  const Said started = caller_.Type({"start", plan, "--when-ready"});
  EXPECT_EQ(started.code, 0) << started.err;
}

TEST_F(Calls, EveryOtherMutationIsCarriedOut) {
  EXPECT_EQ(caller_.Type({"hold", "shop"}).code, 0);
  EXPECT_EQ(controller_.gate("shop").restoration().phase(), v1::PHASE_HOLDING);
  EXPECT_EQ(caller_.Type({"resume", "shop"}).code, 0);
  EXPECT_EQ(controller_.gate("shop").restoration().phase(), v1::PHASE_ADMITTING);
  EXPECT_EQ(caller_.Type({"advance", "shop"}).code, 0);
  EXPECT_EQ(controller_.gate("shop").share_ppm(), 500'000U);
  EXPECT_EQ(caller_.Type({"retreat", "shop", "--to", "5%"}).code, 0);
  EXPECT_EQ(controller_.gate("shop").share_ppm(), 50'000U);
  EXPECT_EQ(caller_.Type({"approve", "shop"}).code, 0);
  EXPECT_EQ(caller_.Type({"agents", "remove", "shop", "edge-2"}).code, 0);
  EXPECT_EQ(controller_.gate("shop").agents_size(), 1);
  EXPECT_EQ(caller_.Type({"abort", "shop", "--to", "0%"}).code, 0);
  EXPECT_EQ(controller_.gate("shop").share_ppm(), 0U);
  EXPECT_EQ(caller_.Type({"open", "shop", "--for", "10m", "--reason", "checks broken"}).code, 0);
  EXPECT_EQ(controller_.gate("shop").share_ppm(), 1'000'000U);
  EXPECT_EQ(caller_.Type({"gates", "create", "api", "--share", "100%"}).code, 0);
  EXPECT_EQ(controller_.gate("api").share_ppm(), 1'000'000U);
  EXPECT_EQ(caller_.Type({"gates", "create", "api", "--share", "100%"}).code, 3);
}

TEST_F(Calls, ADryRunChangesNothing) {
  const Said said = caller_.Type({"close", "shop", "--dry-run"});
  EXPECT_EQ(said.code, 0);
  EXPECT_EQ(said.out, "dry run, nothing changed: closed\n");
  EXPECT_EQ(controller_.gate("shop").share_ppm(), 250'000U);
}

TEST_F(Calls, AJournalThatIsAMomentLateIsNotTold) {
  controller_.Change("shop", [](v1::Gate& gate) { gate.set_recorded(false); });
  controller_.RecordLate();
  int questions = 0;
  controller_.on_question = [&] {
    if (++questions == 3)
      controller_.Change("shop", [](v1::Gate& gate) { gate.set_recorded(true); });
  };
  EXPECT_EQ(caller_.Type({"resume", "shop"}).out, "resumed\n");
  EXPECT_EQ(questions, 3);
}

TEST_F(Calls, StartTellsWhatPreflightWaitsForWhileItWaits) {
  controller_.Change("shop", [](v1::Gate& gate) {
    gate.mutable_restoration()->clear_waits_for();
    gate.mutable_restoration()->add_waits_for("agent edge-2 has not connected");
  });
  controller_.HangMutations();
  std::thread finger([this] {
    caller_.WaitForErr("waits for");
    caller_.interrupt.Raise();
  });
  const Said said = caller_.Type({"start", "-"}, kPlan);
  finger.join();
  EXPECT_EQ(said.code, 130);
  EXPECT_THAT(said.err, HasSubstr("preflight needs 0 s in order: waits for: agent edge-2 has not "
                                  "connected\n"));
}

TEST_F(Calls, AnOpeningIsMarkedInTheTimeline) {
  EXPECT_EQ(caller_.Type({"open", "shop", "--for", "10m", "--reason", "x"}).code, 0);
  EXPECT_EQ(caller_.Type({"timeline", "shop"}).out, "2024-08-14 18:00:00 !! open\n");
}

TEST_F(Calls, AProgramReadsWhyItWasRefused) {
  const Said said = caller_.Type({"close", "shoop", "-o", "json"});
  EXPECT_EQ(said.code, 4);
  EXPECT_THAT(said.out, AllOf(HasSubstr("\"exit\": 4"),
                              HasSubstr("\"message\": \"there is no gate shoop\"")));
  EXPECT_EQ(said.err, "headgate: there is no gate shoop\n");
  EXPECT_THAT(caller_.Type({"validate", "-", "-o", "json"}, kBadPlan).out,
              HasSubstr("\"exit\": 3"));
  controller_.Kill();
  EXPECT_THAT(caller_.Type({"status", "-o", "json"}).out, HasSubstr("\"exit\": 7"));
}

TEST_F(Calls, ARepeatedRequestSaysSo) {
  EXPECT_EQ(caller_.Type({"advance", "shop", "--request-id", "x"}).code, 0);
  const Said again = caller_.Type({"advance", "shop", "--request-id", "x"});
  EXPECT_EQ(again.code, 0);
  EXPECT_THAT(again.out, HasSubstr("done before, not again"));
  EXPECT_EQ(controller_.gate("shop").share_ppm(), 500'000U);
}

TEST_F(Calls, ALoweringWorksWithABrokenJournalAndSaysSoARaiseIsRefused) {
  controller_.FailJournal();
  const Said close = caller_.Type({"close", "shop"});
  EXPECT_EQ(close.code, 0);
  EXPECT_THAT(close.out, HasSubstr("THE JOURNAL DOES NOT HAVE IT: disk full"));
  const Said resume = caller_.Type({"resume", "shop"});
  EXPECT_EQ(resume.code, 3);
  EXPECT_THAT(resume.err, HasSubstr("the journal cannot record: disk full"));
}

TEST_F(Calls, TheControllersRefusalsHaveTheirExitCodes) {
  const std::vector<std::pair<grpc::StatusCode, int>> cases = {
      {grpc::StatusCode::INVALID_ARGUMENT, 2},
      {grpc::StatusCode::FAILED_PRECONDITION, 3},
      {grpc::StatusCode::RESOURCE_EXHAUSTED, 3},
      {grpc::StatusCode::NOT_FOUND, 4},
      {grpc::StatusCode::ABORTED, 5},
      {grpc::StatusCode::PERMISSION_DENIED, 6},
      {grpc::StatusCode::UNAUTHENTICATED, 6},
      {grpc::StatusCode::INTERNAL, 1},
      {grpc::StatusCode::UNIMPLEMENTED, 1}};
  for (const auto& [code, exit_code] : cases) {
    controller_.AnswerWith(grpc::Status(code, "because"));
    for (const char* verb : {"advance", "status", "explain", "timeline"}) {
      const Said said = caller_.Type({verb, "shop"});
      EXPECT_EQ(said.code, exit_code) << verb << " " << code;
      EXPECT_EQ(said.err, "headgate: because\n");
    }
  }
}

TEST_F(Calls, AnUnknownGateAndAnotherRevisionAreTold) {
  EXPECT_EQ(caller_.Type({"close", "shoop"}).code, 4);
  const Said said = caller_.Type({"advance", "shop", "--expected-revision", "99"});
  EXPECT_EQ(said.code, 5);
  EXPECT_THAT(said.err, HasSubstr("revision 99 was expected"));
}

TEST_F(Calls, WithoutAControllerLoweringsSayWhatToTypeOnTheLoadBalancers) {
  controller_.Kill();
  for (const char* verb : {"close", "hold"}) {
    const Said said = caller_.Type({verb, "shop"});
    EXPECT_EQ(said.code, 7) << verb;
    EXPECT_THAT(said.err, AllOf(HasSubstr("no controller can be reached"),
                                HasSubstr("headgate-agent lower"), HasSubstr("--socket")));
  }
  const Said status = caller_.Type({"status", "shop"});
  EXPECT_EQ(status.code, 7);
  EXPECT_THAT(status.err, Not(HasSubstr("headgate-agent")));
  EXPECT_EQ(caller_.Type({"watch", "shop"}).code, 7);
}

TEST_F(Calls, ACallThatWasCutOffCouldHaveBeenCarriedOut) {
  controller_.HangMutations();
  std::thread killer([this] {
    while (controller_.mutations() == 0) std::this_thread::yield();
    controller_.Kill();
  });
  const Said said = caller_.Type({"close", "shop"});
  killer.join();
  EXPECT_EQ(said.code, 12) << said.err;
  EXPECT_THAT(said.err, AllOf(HasSubstr("may or may not have been carried out"),
                              HasSubstr("headgate-agent lower 0% --gate shop")));
}

TEST_F(Calls, ACallThatWasCutOffIsRepeatedAndDoesNothingTwice) {
  controller_.HangMutations();
  std::thread killer([this] {
    while (controller_.mutations() == 0) std::this_thread::yield();
    controller_.Kill();
    controller_.Start();
  });
  const Said said = caller_.Type({"advance", "shop"});
  killer.join();
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(controller_.mutations(), 2);
  EXPECT_EQ(controller_.gate("shop").share_ppm(), 500'000U);
}

TEST_F(Calls, CtrlCLeavesACallThatHangs) {
  controller_.HangMutations();
  std::thread finger([this] {
    while (controller_.mutations() == 0) std::this_thread::yield();
    caller_.interrupt.Raise();
  });
  const Said said = caller_.Type({"close", "shop"});
  finger.join();
  EXPECT_EQ(said.code, 130);
  EXPECT_THAT(said.err, HasSubstr("may have been carried out"));
}

TEST_F(Calls, StartTellsAPlansErrorsAsValidateDoes) {
  const Said start = caller_.Type({"start", "-"}, kBadPlan);
  const Said validate = caller_.Type({"validate", "-"}, kBadPlan);
  EXPECT_EQ(start.code, 3);
  EXPECT_EQ(validate.code, 3);
  EXPECT_EQ(start.err, validate.err);
  EXPECT_EQ(start.err.rfind("headgate: standard input is no sound plan:\n", 0), 0U) << start.err;
  EXPECT_THAT(start.err, HasSubstr("standard input:4:5: checks[0].limit: check 'errors' has no"));
  EXPECT_EQ(caller_.Type({"validate", "-"}, kPlan).code, 0);
  EXPECT_EQ(caller_.Type({"validate", "/no/such/file"}).code, 2);
  EXPECT_EQ(caller_.Type({"start", "/no/such/file"}).code, 2);
}

TEST_F(Calls, StartIsRefusedByPreflightUnlessItMayWait) {
  controller_.RefusePreflight("replica db2: table public.orders differs");
  const Said refused = caller_.Type({"start", "-"}, kPlan);
  EXPECT_EQ(refused.code, 3);
  EXPECT_EQ(refused.err, "headgate: replica db2: table public.orders differs\n");
  const Said waits = caller_.Type({"start", "-", "--when-ready"}, kPlan);
  EXPECT_EQ(waits.code, 0) << waits.err;
  EXPECT_EQ(waits.out, "shop-1 started\n");
}

TEST_F(Calls, ADryStartIsRefusedWhereTheStartWouldBe) {
  controller_.RefusePreflight("agent edge-2 has not connected");
  const Said said = caller_.Type({"start", "-", "--dry-run"}, kPlan);
  EXPECT_EQ(said.code, 3);
  EXPECT_THAT(said.out, HasSubstr("wait for: agent edge-2 has not connected; its checks"));
  EXPECT_EQ(said.err,
            "headgate: as it stands this start would be refused: agent edge-2 has not connected. "
            "With --when-ready it would wait\n");
  EXPECT_EQ(caller_.Type({"start", "-", "--dry-run", "-o", "json"}, kPlan).code, 3);
  EXPECT_EQ(caller_.Type({"start", "-", "--dry-run", "--when-ready"}, kPlan).code, 0);
  // What passes by itself is no reason.
  controller_.RefusePreflight("agent edge-2 has not observed its share yet");
  EXPECT_EQ(caller_.Type({"start", "-", "--dry-run"}, kPlan).code, 0);
  controller_.RefusePreflight("");
  EXPECT_EQ(caller_.Type({"start", "-", "--dry-run"}, kPlan).code, 0);
}

TEST_F(Calls, WithoutAJournalNobodyIsToldThatThereIsNoGate) {
  FakeController empty;
  Caller caller(empty.address());
  EXPECT_THAT(caller.Type({"status"}).out, HasSubstr("There is no gate yet"));
  empty.FailJournal();
  const std::string unknown =
      "No gate is known, which does not say that there is none: the journal "
      "cannot be used (disk full), so gates are known only from their agents";
  const Said text = caller.Type({"status"});
  EXPECT_THAT(text.out, HasSubstr(unknown));
  EXPECT_THAT(text.out, Not(HasSubstr("gates create")));
  EXPECT_THAT(caller.Type({"gates", "-o", "json"}).err, HasSubstr(unknown));
}

TEST_F(Calls, WithoutAControllerItIsSaidInPlainWords) {
  controller_.Kill();
  const Said said = caller_.Type({"status"});
  EXPECT_EQ(said.code, 7);
  EXPECT_EQ(said.err, "headgate: no controller can be reached: nobody listens at " +
                          controller_.address() + "\n");
}

TEST_F(Calls, ValidateNamesWhatEachCheckLooksAtAndWhatAFailureDoes) {
  const Said said = caller_.Type({"validate", "-"},
                                 "gate: shop\n"
                                 "preflight: {agents: [edge-1, edge-2], databases: [orders]}\n"
                                 "checks:\n"
                                 "  - {name: errors, ratio: agents.http_5xx, limit: 3%}\n"
                                 "  - {name: slow, ratio: agents.slower_than(500ms), limit: 1%}\n"
                                 "ramp: {steps: [5%, 50%, 100%], approve_at: [50%]}\n"
                                 "databases:\n"
                                 "  orders:\n"
                                 "    engine: postgres\n"
                                 "    primary: host=db1\n"
                                 "    replicas:\n"
                                 "      - {name: db2, dsn: host=db2, kind: physical}\n"
                                 "      - {name: db3, out: true}\n");
  EXPECT_EQ(said.code, 0) << said.err;
  for (const char* wanted :
       {"agents: edge-1, edge-2\n", "databases orders",
        "check errors: 5xx answers of the load balancers, at most 3 %",
        "check slow: answers over 500 ms at the load balancers, at most 1 %",
        "replicas db2, db3 (taken out); lag holds beyond 1 s, fails beyond 5 s",
        "a person approves 50 %", "after 30 s a person is called", "3 retries"}) {
    EXPECT_THAT(said.out, HasSubstr(wanted));
  }
}

TEST_F(Calls, ViewsShowWhatTheControllerKnows) {
  EXPECT_THAT(caller_.Type({"status", "shop"}).out, HasSubstr("admitting 25 %"));
  EXPECT_THAT(caller_.Type({"status"}).out, HasSubstr("shop-3 ADMITTING"));
  EXPECT_THAT(caller_.Type({"gates"}).out, HasSubstr("shop-3 ADMITTING"));
  EXPECT_THAT(caller_.Type({"explain", "shop"}).out, HasSubstr("Before the share rises"));
  EXPECT_THAT(caller_.Type({"agents", "shop"}).out, HasSubstr("edge-2"));
  EXPECT_EQ(caller_.Type({"close", "shop"}).code, 0);
  EXPECT_EQ(caller_.Type({"timeline", "shop"}).out, "2024-08-14 18:00:00 closed\n");
  EXPECT_THAT(caller_.Type({"version"}).out, HasSubstr("reign 7"));
}

TEST_F(Calls, JsonIsOneDocumentOnStandardOutput) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"status", "shop"},
                                                                 {"status"},
                                                                 {"explain", "shop"},
                                                                 {"timeline", "shop"},
                                                                 {"close", "shop"},
                                                                 {"version"}}) {
    std::vector<std::string> with_json = words;
    with_json.insert(with_json.end(), {"-o", "json"});
    const Said said = caller_.Type(with_json);
    EXPECT_EQ(said.code, 0) << said.err;
    EXPECT_EQ(said.out.front(), '{') << said.out;
    EXPECT_EQ(said.out.substr(said.out.size() - 2), "}\n") << said.out;
  }
}

}  // namespace
}  // namespace headgate::cli
