package host

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"cassini/bpf"
	"cassini/model"
)

func TestStartTicks(t *testing.T) {
	tail := " S" + strings.Repeat(" 7", 18) + " 4242 9 9\n"
	for _, c := range []struct {
		stat string
		want uint64
		ok   bool
	}{
		{"1 (init)" + tail, 4242, true},
		{"1 (a) (b) c)" + tail, 4242, true},
		{"1 (init) S 1 2", 0, false},
		{"", 0, false},
		{"1 (init)" + strings.Replace(tail, "4242", "x", 1), 0, false},
	} {
		if got, ok := startTicks([]byte(c.stat)); got != c.want || ok != c.ok {
			t.Errorf("%q: got %d, %v", c.stat, got, ok)
		}
	}
}

func TestCgroup2Mount(t *testing.T) {
	hybrid := "30 23 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:5 - cgroup2 cgroup2 rw\n"
	for _, c := range []struct{ in, want string }{
		{hybrid, "/sys/fs/cgroup/unified"}, {"", ""}, {"x - cgroup2", ""}, {"1 2 3 4 - cgroup2 a b\n", ""},
	} {
		if got := cgroup2Mount([]byte(c.in)); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}

func FuzzProcfs(f *testing.F) {
	f.Add([]byte("1 (a) S 2 3"))
	f.Add([]byte("1 2 3 4 /x - cgroup2 a b"))
	f.Add([]byte("ID=debian\nPRETTY_NAME=\"x\"\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		startTicks(raw)
		cgroup2Mount(raw)
		var os model.OS
		parseOSRelease(string(raw), &os)
	})
}

func TestOSRelease(t *testing.T) {
	var os model.OS
	parseOSRelease("ID=debian\nPRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nVERSION_ID=\"12\"\nBROKEN\n", &os)
	if os.ID != "debian" || os.Name != "Debian GNU/Linux 12 (bookworm)" || os.Version != "12" {
		t.Errorf("got %+v", os)
	}
}

// The kernel's word comes first, /proc fills what is missing, and a pid that is
// another life's by now fills nothing.
func TestResolve(t *testing.T) {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	ticks, _ := startTicks(bytes.Clone(stat))
	self := bpf.Owner{Tgid: uint32(os.Getpid()), StartNs: ticks * (1e9 / userHZ), ExeIno: 1}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := NewProcesses()
	if got := p.Resolve(self, bpf.Image{}); got.Exe != exe || got.Cwd == "" || len(got.Cmdline) == 0 || got.UID == "" || got.Partial {
		t.Errorf("from /proc: %+v", got)
	}
	other := self
	other.StartNs += 1e9
	other.ExeIno = 2
	copy(other.Comm[:], "gone")
	if got := p.Resolve(other, bpf.Image{}); got.Exe != "[gone]" || !got.Partial || len(got.Cmdline) != 0 {
		t.Errorf("another life: %+v", got)
	}
	image := bpf.Image{Exe: "/bin/x", Cwd: "/", Cmdline: []string{"x", "y"}}
	if got := p.Resolve(other, image); got.Exe != "/bin/x" || got.Cwd != "/" || len(got.Cmdline) != 2 || got.Partial {
		t.Errorf("from the kernel: %+v", got)
	}
	if got := p.Resolve(bpf.Owner{Kind: bpf.OwnerKernel}, bpf.Image{}); !got.Kernel() || got.Program() != "kernel" {
		t.Errorf("kernel: %+v", got)
	}
	if got := p.Resolve(bpf.Owner{Kind: bpf.OwnerUnknown}, bpf.Image{}); got.Exe != model.UnknownExe {
		t.Errorf("unknown: %+v", got)
	}
}

func TestCacheForgetsTheOlderHalf(t *testing.T) {
	c := cache[int, int]{limit: 10}
	for i := range 100 {
		c.put(i, i)
		c.get(0) // stays, since it is used
	}
	if n := len(c.young) + len(c.aged); n > 10 {
		t.Errorf("holds %d, limit 10", n)
	}
	if _, ok := c.get(0); !ok {
		t.Error("forgot what was used all the time")
	}
	if _, ok := c.get(1); ok {
		t.Error("remembers what was never used")
	}
}
