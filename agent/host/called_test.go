package host

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"cassini/bpf"
	"cassini/model"
)

// A process is called as it was started where that is a name of its executable, and not where it only
// says so.
func TestCalledAs(t *testing.T) {
	sleep, err := exec.LookPath("sleep")
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(sleep)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	exe := filepath.Join(dir, "many3.11")
	if err := os.WriteFile(exe, binary, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"httpd": "many3.11", "absolute": exe, "many3": "many3.11"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "nginx"), binary, 0o755); err != nil { // another file, if the same bytes
		t.Fatal(err)
	}
	p := NewProcesses()
	for ino, c := range []struct{ comm, want string }{
		{"httpd", "httpd"}, {"absolute", "absolute"}, {"many3", ""}, {"nginx", ""}, {"postgres", ""}, {"", ""}, {"../httpd", ""}, {"longerthancomm1", ""},
	} {
		cmd := exec.CommandContext(t.Context(), exe, "60")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		owner := bpf.Owner{Tgid: uint32(cmd.Process.Pid), StartNs: 1, ExeIno: uint64(ino + 1)}
		copy(owner.Comm[:], c.comm)
		image := bpf.Image{Exe: exe, Cwd: "/", Cmdline: []string{exe, "60"}}
		lives := p.Resolve(owner, image)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if want := cmp.Or(c.want, "many3.11"); lives.CalledAs != c.want || lives.Program() != want {
			t.Errorf("%q: called %q, program %q, want %q", c.comm, lives.CalledAs, lives.Program(), want)
		}
		owner.StartNs++
		if gone := p.Resolve(owner, image); gone.CalledAs != c.want {
			t.Errorf("%q is known of the executable, but of one that has gone: %q", c.comm, gone.CalledAs)
		}
	}
	if got := (model.Process{Exe: "/a/b (deleted)"}).Program(); got != "b" {
		t.Errorf("deleted: %q", got)
	}
}
