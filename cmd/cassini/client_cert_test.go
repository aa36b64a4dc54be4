package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"cassini/manager"
	authority "cassini/manager/enroll"
)

// TestCertificateInsteadOfToken makes a certificate, asks with it, and revokes it.
func TestCertificateInsteadOfToken(t *testing.T) {
	url, dir := secured(t, manager.TLS{On: true})
	here := map[string]string{"CASSINI_DATA_DIR": dir, "CASSINI_API": url}
	file := filepath.Join(t.TempDir(), "alice.pem")
	made := cassini(t, here, "token", "create", "--role", "viewer", "--label", "alice", "--certificate", file)
	if made.code != 0 || !strings.Contains(made.stdout, "(viewer) is in "+file) {
		t.Fatalf("%+v", made)
	}
	id := strings.Fields(made.stdout)[1]
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
	if again := cassini(t, here, "token", "create", "--role", "viewer", "--certificate", file); again.code != 2 || !strings.Contains(again.stderr, "there already") {
		t.Errorf("%+v", again)
	}
	alice := map[string]string{"CASSINI_CLIENT_CERT": file, "CASSINI_API": url, "CASSINI_DATA_DIR": dir} // whose token is an admin's
	for line, want := range map[string]string{
		"services": "", "token list": "this is for role admin, your certificate is for viewer", "silence web-17 --why y --for 1h": "this is for role operator",
	} {
		if got := cassini(t, alice, strings.Fields(line)...); (got.code == 0) != (want == "") || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: %+v", line, got)
		}
	}
	if got := cassini(t, here, "token", "list"); !strings.Contains(got.stdout, "certificate") || !strings.Contains(got.stdout, "alice") {
		t.Errorf("%+v", got)
	}
	if got := cassini(t, here, "token", "revoke", id); got.code != 0 {
		t.Errorf("%+v", got)
	}
	if got := cassini(t, alice, "services"); got.code != 1 || !strings.Contains(got.stderr, "revoked at") {
		t.Errorf("%+v", got)
	}
	other, _ := secured(t, manager.TLS{On: true}) // another manager is not spoken to
	if got := cassini(t, alice, "services", "--api", other); got.code != 1 || !strings.Contains(got.stderr, "certificate") {
		t.Errorf("%+v", got)
	}
	refused := filepath.Join(t.TempDir(), "agent.pem")
	if got := cassini(t, here, "token", "create", "--role", "agent", "--certificate", refused); got.code != 1 || !strings.Contains(got.stderr, "hosts get theirs when they join") {
		t.Errorf("%+v", got)
	}
	if _, err := os.Stat(refused); err == nil {
		t.Error("a file of nothing is left")
	}
	for line, want := range map[string]string{
		"services --client-key x": "which is missing", "services --client-cert /nonexistent": "no such file", "services --client-cert " + filepath.Join(dir, authority.CertFile): "--client-cert/CASSINI_CLIENT_CERT",
		"services --api http://127.0.0.1:1 --client-cert x": "over https alone",
	} {
		if got := cassini(t, map[string]string{"CASSINI_API": url}, strings.Fields(line)...); got.code != 2 || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: %+v", line, got)
		}
	}
}

// TestUsersFile serves TLS since there are users, and refuses a file without roles.
func TestUsersFile(t *testing.T) {
	hash, err := bcrypt.GenerateFromPassword([]byte("x"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "users.yml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(fmt.Sprintf("basic_auth_users: {alice: %s}\nroles: {alice: viewer}\n", hash))
	env := map[string]string{"CASSINI_USERS_FILE": path}
	if got := cassini(t, env, "config", "check", "manager"); got.code != 0 {
		t.Errorf("%+v", got)
	}
	write(fmt.Sprintf("basic_auth_users: {alice: %s}\n", hash))
	if got := cassini(t, env, "config", "check", "manager"); got.code == 0 || !strings.Contains(got.stderr, `user "alice" has no role`) {
		t.Errorf("%+v", got)
	}
	if got := cassini(t, env, "manager", "--insecure", "--listen", "127.0.0.1:0"); got.code != 2 || !strings.Contains(got.stderr, "--users-file") {
		t.Errorf("%+v", got)
	}
}
