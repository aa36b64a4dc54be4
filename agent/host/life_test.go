package host

import (
	"os"
	"testing"

	"cassini/bpf"
)

func TestLives(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		t.Fatal(err)
	}
	ticks, ok := startTicks(raw)
	if !ok {
		t.Fatal("no start time")
	}
	me := bpf.Owner{Tgid: uint32(os.Getpid()), StartNs: ticks * (1e9 / userHZ)}
	later, nobody := me, me
	later.StartNs += 1e9
	nobody.Tgid = 1 << 22
	for name, tt := range map[string]struct {
		owner bpf.Owner
		exe   string
		want  bool
	}{"this": {me, exe, true}, "another program": {me, "/usr/bin/true", false}, "another life": {later, exe, false}, "nobody": {nobody, exe, false}} {
		if got := Lives(tt.owner, tt.exe); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if Gone(os.Getpid()) || !Gone(1<<22) {
		t.Error("this process has gone, or nobody has not")
	}
}
