// A folder for one test, removed with everything in it. Any one thread.
#pragma once

#include <string>

namespace headgate::test {

class TempFolder {
 public:
  TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder();

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

void WriteFile(const std::string& path, const std::string& content);
// Empty if there is none.
std::string ReadFile(const std::string& path);

}  // namespace headgate::test
