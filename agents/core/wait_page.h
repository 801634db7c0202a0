// What people and programs read that are not admitted yet: pages by language, and a problem. Pure
// but for Load: any thread. Our own pages stand without single quotes in a load balancer's
// configuration.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "agents/core/wait_template.h"

namespace headgate::agent {

inline constexpr std::size_t kLanguagesMax = 8;
inline constexpr char kLanguageDefault[] = "en";

class WaitPages {
 public:
  // Ours: en and de.
  WaitPages();
  // `files`: "de=/etc/headgate/wait.de.html", or the path alone for `default_language`. Without
  // any, ours. INVALID_ARGUMENT: what is wrong with which file, and what to write.
  static absl::StatusOr<WaitPages> Load(const std::vector<std::string>& files,
                                        const std::string& default_language);

  // By language, as in <html lang>.
  const std::map<std::string, WaitTemplate>& templates() const { return templates_; }
  const std::string& default_language() const { return default_language_; }
  bool are_ours() const { return are_ours_; }
  // Of what Accept-Language says: the language that is wanted most, else the default.
  const WaitTemplate& For(std::string_view accept_language) const;

 private:
  std::map<std::string, WaitTemplate> templates_;
  std::string default_language_;
  bool are_ours_ = true;
};

struct ProblemWords {
  std::string retry_after;
  // A number of JSON, 0 to 1, and a time as in RFC 3339.
  std::string ratio;
  std::string instant;
};
// application/problem+json (RFC 9457): `returns_at_share` and `expected_at` where they are known.
std::string WaitProblem(Known known, const ProblemWords& words);

}  // namespace headgate::agent
