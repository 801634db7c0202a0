// A controller that behaves: gates with shares and revisions, agents that confirm or do not, a
// journal of requests, roles, and a process that can be killed and started again on its port.
// Thread-safe.
#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "headgate/v1/operator.grpc.pb.h"

namespace headgate::cli {

class FakeController final : public v1::Headgate::Service {
 public:
  FakeController();
  ~FakeController() override;

  // "127.0.0.1:PORT"; the same after every Start.
  std::string address() const { return address_; }
  void Start();
  // Elsewhere, and with other credentials: "unix:/path", or a port of its own choice.
  void Move(const std::string& address,
            const std::shared_ptr<grpc::ServerCredentials>& credentials);
  // Streams and calls are cut off, as by SIGKILL; what it knows stays, as in a journal.
  void Kill();

  // Changes a gate, and tells those who watch it.
  void Change(const std::string& gate, const std::function<void(v1::Gate&)>& change);
  v1::Gate gate(const std::string& name);
  // The last mutation that arrived, and how many did.
  v1::Mutation last_mutation();
  int mutations();
  // Until so many streams have been opened since the beginning.
  void WaitForStreams(int count);

  // Called before a question about a gate is answered. Set it before the call.
  std::function<void()> on_question = [] {};

  // Answers every call with this from now on.
  void AnswerWith(grpc::Status status);
  // Carries out, but never answers, mutations; until killed.
  void HangMutations();
  // Opens streams, but sends nothing on them; until killed.
  void HangStreams();
  void RefusePreflight(const std::string& why);
  // Does not confirm from now on.
  void Disobey(const std::string& agent, const std::string& why);
  // Mutations are answered before the journal has them; a Change tells when it has.
  void RecordLate();
  // What it watches by itself.
  void Watch(v1::ListDatabasesResponse databases);
  // The journal's disk is full: lowerings only.
  void FailJournal();

  grpc::Status GetController(grpc::ServerContext*, const v1::GetControllerRequest*,
                             v1::Controller* response) override;
  grpc::Status ListGates(grpc::ServerContext*, const v1::ListGatesRequest*,
                         v1::ListGatesResponse* response) override;
  grpc::Status GetGate(grpc::ServerContext*, const v1::GetGateRequest* request,
                       v1::Gate* response) override;
  grpc::Status WatchGate(grpc::ServerContext* context, const v1::GetGateRequest* request,
                         grpc::ServerWriter<v1::Gate>* writer) override;
  grpc::Status ListTimeline(grpc::ServerContext*, const v1::ListTimelineRequest* request,
                            v1::ListTimelineResponse* response) override;
  grpc::Status ListDatabases(grpc::ServerContext*, const v1::ListDatabasesRequest* request,
                             v1::ListDatabasesResponse* response) override;
  grpc::Status CreateGate(grpc::ServerContext* context, const v1::CreateGateRequest* request,
                          v1::Outcome* response) override;
  grpc::Status CloseGate(grpc::ServerContext* context, const v1::GateRequest* request,
                         v1::Outcome* response) override;
  grpc::Status OpenGate(grpc::ServerContext* context, const v1::OpenGateRequest* request,
                        v1::Outcome* response) override;
  grpc::Status StartRestoration(grpc::ServerContext* context,
                                const v1::StartRestorationRequest* request,
                                v1::Outcome* response) override;
  grpc::Status HoldRestoration(grpc::ServerContext* context, const v1::GateRequest* request,
                               v1::Outcome* response) override;
  grpc::Status ResumeRestoration(grpc::ServerContext* context, const v1::GateRequest* request,
                                 v1::Outcome* response) override;
  grpc::Status AdvanceRestoration(grpc::ServerContext* context, const v1::GateRequest* request,
                                  v1::Outcome* response) override;
  grpc::Status RetreatRestoration(grpc::ServerContext* context, const v1::RetreatRequest* request,
                                  v1::Outcome* response) override;
  grpc::Status AbortRestoration(grpc::ServerContext* context, const v1::RetreatRequest* request,
                                v1::Outcome* response) override;
  grpc::Status ApproveStep(grpc::ServerContext* context, const v1::GateRequest* request,
                           v1::Outcome* response) override;
  grpc::Status RemoveAgent(grpc::ServerContext* context, const v1::RemoveAgentRequest* request,
                           v1::Outcome* response) override;

 private:
  struct Asked {
    const v1::Mutation& mutation;
    std::string gate;
    bool is_raise = false;
    std::string summary;
  };
  // The one way in which a gate changes.
  grpc::Status Carry(grpc::ServerContext* context, const Asked& asked,
                     const std::function<grpc::Status(v1::Gate&)>& change, v1::Outcome* response);

  std::string address_;
  std::unique_ptr<grpc::Server> server_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // All protected by mutex_.
  std::map<std::string, v1::Gate> gates_;
  std::map<std::string, v1::Outcome> done_;
  std::map<std::string, std::string> disobedient_;
  std::vector<v1::TimelineEntry> timeline_;
  v1::ListDatabasesResponse databases_;
  v1::Mutation last_mutation_;
  std::string preflight_refusal_;
  grpc::Status answer_;
  int mutations_ = 0;
  int streams_ = 0;
  bool hangs_mutations_ = false;
  bool hangs_streams_ = false;
  bool has_failed_journal_ = false;
  bool records_late_ = false;
  bool is_killed_ = false;
};

}  // namespace headgate::cli
