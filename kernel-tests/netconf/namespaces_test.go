package netconf

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/agent/netns"
	"cassini/model"
)

// process runs a command until the test ends, or end is called.
func process(t *testing.T, args ...string) (pid int, end func()) {
	t.Helper()
	cmd := exec.Command(args[0], args[1:]...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	end = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	t.Cleanup(end)
	return cmd.Process.Pid, end
}

// apart runs a process in a network namespace of its own, and waits until it is there.
func apart(t *testing.T) (pid int, name string, end func()) {
	t.Helper()
	pid, end = process(t, "unshare", "--net", "sleep", "1000")
	own, _ := os.Readlink("/proc/self/ns/net")
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid)); err == nil && ns != own {
			return pid, ns, end
		}
	}
	t.Fatal("unshare made no namespace")
	return 0, "", nil
}

func isGone(i model.Interface) bool { return i.State == model.InterfaceGone }

// Namespaces come and go with a name, or with a process; what listens there must
// not keep them.
func TestNamespacesComeAndGo(t *testing.T) {
	r := start(t)
	a := namespace(t, "late")
	r.expect("lo@"+a, "a named namespace", present)
	ip(t, "netns del "+a)
	r.expect("lo@"+a, "gone with its name", isGone)

	_, name, end := apart(t)
	r.Look() // nothing tells of a namespace that has neither a name nor a link to another
	r.expect("lo@"+name, "a process's namespace", present)
	end()
	r.expect("lo@"+name, "gone with its process", isGone)
}

// A namespace is there all the time when the process ends by which it was found, and another
// is in it.
func TestNamespaceChangesHands(t *testing.T) {
	r := start(t)
	first, name, end := apart(t)
	r.Look()
	key := "lo@" + name
	r.expect(key, "a process's namespace", present)
	second, endSecond := process(t, "nsenter", "--net", "-t", fmt.Sprint(first), "sleep", "1000")
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		if ns, _ := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", second)); ns == name {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nsenter entered no namespace")
		}
	}
	end()
	if out, err := exec.Command("nsenter", "--net", "-t", fmt.Sprint(second), "ip", "link", "set", "lo", "mtu", "1400").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r.expect(key, "still heard", func(i model.Interface) bool { return i.MTU == 1400 })
	r.Look()
	endSecond()
	r.expect(key, "gone with its last process", isGone)
	r.mu.Lock()
	defer r.mu.Unlock()
	if told := r.told[key]; told != 3 {
		t.Errorf("told %d times, want that it came, changed and went", told)
	}
}

// Processes that end in a namespace while it is looked for do not hide that it has a name.
func TestProcessesHideNoName(t *testing.T) {
	ns := namespace(t, "busy")
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				_ = exec.Command("ip", "netns", "exec", ns, "true").Run()
			}
		}
	}()
	defer func() { close(stop); <-done }()
	for range 300 {
		list, err := netns.List()
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(list, func(n netns.Namespace) bool { return n.Name == ns })
		if at < 0 {
			t.Fatalf("%s is not listed", ns)
		}
		if list[at].PID != 0 || !strings.HasSuffix(list[at].Path, ns) {
			t.Fatalf("%s is entered by %s", ns, list[at].Path)
		}
	}
}
