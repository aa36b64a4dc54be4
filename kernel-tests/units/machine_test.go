package units

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cassini/kernel-tests/undertest"
)

// binary is the program that is tested.
var binary string

func TestMain(m *testing.M) { os.Exit(undertest.Main(m, &binary)) }

// patience is how long a condition is waited for, on a machine that does much else.
const patience = 2 * time.Minute

// machine is a systemd in namespaces of its own.
type machine struct {
	t   *testing.T
	pid string // of its process 1, seen from here
	log string // what systemd says
}

// needed says why there can be no such machine here, or "".
func needed() string {
	if os.Getuid() != 0 {
		return "namespaces with a systemd in them need root"
	}
	for _, program := range []string{"unshare", "nsenter", "ip", "curl", "/lib/systemd/systemd", "systemctl", "systemd-sysusers"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Sprintf("%s is not here; install systemd, util-linux, iproute2 and curl", program)
		}
	}
	return ""
}

// boot boots a machine that has the units, and files by their path; it ends with the test.
func boot(t *testing.T, files map[string]string) *machine {
	t.Helper()
	if why := needed(); why != "" {
		if os.Getenv("CASSINI_REQUIRE_ROOT") != "" {
			t.Fatal(why)
		}
		t.Skip("NOT TESTED: " + why)
	}
	dir := t.TempDir()
	mnt, over := filepath.Join(dir, "mnt"), filepath.Join(dir, "over")
	if err := errors.Join(os.Mkdir(mnt, 0o755), os.Mkdir(over, 0o755), lay(over, files)); err != nil {
		t.Fatal(err)
	}
	m := &machine{t: t, log: filepath.Join(dir, "log")}
	out, err := os.Create(m.log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	group, fd := newGroup(t)
	cmd := exec.Command("unshare", "--mount", "--pid", "--fork", "--uts", "--ipc", "--net", "--cgroup", "--kill-child", "sh", "testdata/boot.sh", mnt, over)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{UseCgroupFD: true, CgroupFD: fd, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }() // it is killed in the end
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		remove(t, group)
	})
	m.await("a systemd that answers", func() bool {
		select {
		case <-ended:
			t.Fatalf("it ended:\n%s", m.said())
		default:
		}
		raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", cmd.Process.Pid, cmd.Process.Pid))
		m.pid = strings.TrimSpace(string(raw))
		_, err := m.try("systemctl", "is-active", "tried.target")
		return m.pid != "" && err == nil
	})
	return m
}

// lay writes the units, the binary and files below a directory.
func lay(over string, files map[string]string) error {
	all := map[string]string{"etc/systemd/system/tried.target": "[Unit]\nDescription=What is tried\n"}
	for name, path := range map[string]string{
		"cassini-agent.service": "etc/systemd/system", "cassini-manager.service": "etc/systemd/system", "cassini.sysusers": "usr/lib/sysusers.d",
	} {
		raw, err := os.ReadFile(filepath.Join("../../tools/systemd", name))
		if err != nil {
			return err
		}
		all[filepath.Join(path, strings.Replace(name, ".sysusers", ".conf", 1))] = string(raw)
	}
	raw, err := os.ReadFile(binary)
	if err != nil {
		return err
	}
	all["usr/bin/cassini"] = string(raw)
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		path := filepath.Join(over, name)
		mode := os.FileMode(0o644)
		if name == "usr/bin/cassini" {
			mode = 0o755
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), mode)); err != nil {
			return err
		}
	}
	return nil
}

// newGroup makes a control group, of version 2, for a machine.
func newGroup(t *testing.T) (path string, fd int) {
	t.Helper()
	root := "/sys/fs/cgroup"
	if _, err := os.Stat(filepath.Join(root, "cgroup.procs")); err != nil {
		root = filepath.Join(root, "unified")
	}
	path, err := os.MkdirTemp(root, "cassini-units-")
	if err != nil {
		t.Fatalf("make a control group: %v", err)
	}
	dir, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = dir.Close() })
	return path, int(dir.Fd())
}

// remove removes a control group with those below it, once its processes have ended.
func remove(t *testing.T, group string) {
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		var below []string
		_ = filepath.WalkDir(group, func(path string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() {
				below = append(below, path)
			}
			return nil
		})
		for n := len(below) - 1; n >= 0; n-- {
			_ = os.Remove(below[n])
		}
		if _, err := os.Stat(group); errors.Is(err, os.ErrNotExist) {
			return
		}
		if time.Since(begin) > patience {
			t.Errorf("%s cannot be removed", group)
			return
		}
	}
}

// try runs a command on the machine.
func (m *machine) try(args ...string) (string, error) {
	if m.pid == "" {
		return "", errors.New("not booted")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out, err := exec.CommandContext(ctx, "nsenter", append([]string{"--target", m.pid, "--mount", "--pid", "--uts", "--ipc", "--net", "--cgroup"}, args...)...).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// run runs a command that has to succeed.
func (m *machine) run(args ...string) string {
	m.t.Helper()
	out, err := m.try(args...)
	if err != nil {
		m.t.Fatalf("%v: %v\n%s\n%s", args, err, out, m.said())
	}
	return out
}

// said is what systemd and the units have said.
func (m *machine) said() string {
	raw, _ := os.ReadFile(m.log)
	text := string(raw)
	for _, unit := range []string{"agent", "manager"} {
		if out, err := m.try("cat", "/run/"+unit+".log"); err == nil {
			text += "\n" + unit + " said:\n" + out
		}
	}
	return text
}

// property is one of a unit.
func (m *machine) property(unit, name string) string {
	m.t.Helper()
	return m.run("systemctl", "show", "--value", "--property", name, unit)
}

func (m *machine) await(what string, is func() bool) {
	m.t.Helper()
	for begin := time.Now(); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Since(begin) > patience {
			m.t.Fatalf("waited in vain for %s\n%s", what, m.said())
		}
	}
}
