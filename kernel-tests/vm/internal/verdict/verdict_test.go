package verdict_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"cassini/kernel-tests/vm/internal/verdict"
)

// good is what a machine prints whose tests pass.
const good = `CASSINI-VM boot kernel=6.1.0-56-cloud-amd64
CASSINI-VM start test=capture
` + "\x16=== RUN   TestOne\n" + `some output
` + "no line end before\x16--- PASS: TestOne (0.07s)\n" +
	"\x16=== RUN   TestTwo\n\x16=== RUN   TestTwo/sub\n" +
	`    x_test.go:3: CASSINI-HOOK fact="tcp connect, \"listen\"" hook=tp_btf/x first=true
` + "\x16    --- SKIP: TestTwo/sub (0.00s)\n\x16--- PASS: TestTwo (1.50s)\n\x16=== NAME  \nPASS\n" + `
CASSINI-VM result test=capture exit=0 seconds=1.62
CASSINI-VM end
`

func TestGood(t *testing.T) {
	run := verdict.Parse(strings.ReplaceAll(good, "\n", "\r\n"))
	if failures := verdict.Judge(machine(run)); len(failures) != 0 {
		t.Errorf("failures %+v", failures)
	}
	b := run.Binaries[0]
	if run.Release != "6.1.0-56-cloud-amd64" || !run.Ended || len(run.Binaries) != 1 || b.Seconds != 1.62 || !b.Ended {
		t.Errorf("run %+v, binary %+v", run, b)
	}
	var got []string
	for _, test := range b.Tests {
		got = append(got, test.Name+" "+test.Result)
	}
	if s := strings.Join(got, ", "); s != "TestOne pass, TestTwo pass, TestTwo/sub skip" {
		t.Errorf("tests %s", s)
	}
	if len(run.Hooks) != 1 || run.Hooks[0]["fact"] != `tcp connect, "listen"` || run.Hooks[0]["hook"] != "tp_btf/x" || run.Hooks[0]["first"] != "true" {
		t.Errorf("hooks %v", run.Hooks)
	}
}

func machine(run verdict.Run) verdict.Machine {
	return verdict.Machine{Run: run, Want: []string{"capture"}, Limit: time.Minute}
}

func TestFailures(t *testing.T) {
	const start = "CASSINI-VM boot kernel=6.1\nCASSINI-VM start test=capture\n"
	const end = "\nCASSINI-VM result test=capture exit=0 seconds=1.00\nCASSINI-VM end\n"
	const failed = "\nCASSINI-VM result test=capture exit=1 seconds=1.00\nCASSINI-VM end\n"
	run, pass := "\x16=== RUN   TestA\n", "\x16--- PASS: TestA (0.00s)\nPASS\n"
	tests := []struct {
		name   string
		output string
		change func(*verdict.Machine)
		want   string // of the first failure
		log    string // in its log
	}{
		{"silence", "", nil, "it did not boot: /init never spoke", ""},
		{"no QEMU", "", func(m *verdict.Machine) { m.QEMU = errors.New("no such machine") }, "it did not boot: no such machine", ""},
		{"panic", start + run, func(m *verdict.Machine) {
			m.Console = "[    1.0] fine\n[    1.8] Kernel panic - not syncing: Attempted to kill init!\n[    1.9] Call Trace:\n"
		}, "the kernel died in capture while TestA ran: Kernel panic - not syncing: Attempted to kill init!", "Call Trace"},
		{"oops", start + run, func(m *verdict.Machine) { m.Console = "[ 1.0] Oops: 0000 [#1] PREEMPT" }, "the kernel died in capture while TestA ran: Oops: 0000 [#1] PREEMPT", ""},
		{"panic after success", start + run + pass + end, func(m *verdict.Machine) { m.Console = "[ 2.1] Kernel panic - not syncing: x" }, "the kernel died: Kernel panic - not syncing: x", ""},
		{"timeout", start + run + "waiting for godot\n", func(m *verdict.Machine) { m.TimedOut = true }, "timeout: not at its end after 1m0s in capture while TestA ran", "godot"},
		{"no result", start + run + "then silence", nil, "capture: no result line while TestA ran", "silence"},
		{"never started", "CASSINI-VM boot kernel=6.1\nCASSINI-VM end\n", nil, "capture: was never started", ""},
		{"failing", start + run + "    a_test.go:9: wrong\n\x16--- FAIL: TestA (0.10s)\nFAIL\n" + failed, nil, "capture: TestA failed", "wrong"},
		{"failing subtest", start + run + "\x16=== RUN   TestA/b\nwrong\n\x16    --- FAIL: TestA/b (0.10s)\n\x16--- FAIL: TestA (0.10s)\nFAIL\n" + failed, nil, "capture: TestA/b failed", "wrong"},
		{"says fail, exits with 0", start + run + "\x16--- FAIL: TestA (0.10s)\n" + end, nil, "capture: TestA failed", ""},
		{"leak", start + run + pass + "something leaked" + failed, nil, "capture: exit status 1", "leaked"},
		{"go panic", start + run + "noise\npanic: oh no\n\ngoroutine 1" + failed, nil, "capture: exit status 1 while TestA ran", "panic: oh no"},
		{"killed", start + run + "\nCASSINI-VM result test=capture exit=-1 seconds=320.00\nCASSINI-VM end\n", nil, "capture: killed by a signal after 320 s while TestA ran", ""},
		{"empty", start + "testing: warning: no tests to run\nPASS\n" + end, nil, "capture: no tests ran, 0 skipped", "no tests to run"},
		{"all skipped", start + run + "\x16--- SKIP: TestA (0.00s)\nPASS\n" + end, nil, "capture: no tests ran, 1 skipped", ""},
		{"problem", "CASSINI-VM boot kernel=6.1\nCASSINI-VM problem load module veth: no\nCASSINI-VM start test=capture\n" + run + pass + end, nil, "/init: load module veth: no", ""},
		{"cut before the end", start + run + pass + strings.TrimSuffix(end, "CASSINI-VM end\n"), nil, "/init never came to its end", ""},
		{"QEMU fails at the end", start + run + pass + end, func(m *verdict.Machine) { m.QEMU = errors.New("run QEMU: exit status 1") }, "run QEMU: exit status 1", ""},
		{"result of another", start + run + pass + strings.ReplaceAll(end, "test=capture", "test=other"), nil, "capture: no result line", ""},
		{"a test that prints a result line", start + run + "CASSINI-VM result test=other\n", nil, "capture: no result line while TestA ran", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := machine(verdict.Parse(test.output))
			if test.change != nil {
				test.change(&m)
			}
			failures := verdict.Judge(m)
			if len(failures) == 0 {
				t.Fatal("judged good")
			}
			if failures[0].What != test.want {
				t.Errorf("says %q\nwant %q", failures[0].What, test.want)
			}
			if log := strings.Join(failures[0].Log, "\n"); !strings.Contains(log, test.log) || strings.HasPrefix(log, "noise") {
				t.Errorf("shows\n%s\nwant %q in it", log, test.log)
			}
		})
	}
}

// A machine can die at any byte: whatever is cut off must not look good.
func TestCutAnywhere(t *testing.T) {
	end := strings.Index(good, "CASSINI-VM end")
	for at := range end {
		if failures := verdict.Judge(machine(verdict.Parse(good[:at]))); len(failures) == 0 {
			t.Fatalf("good when cut after %q", good[:at])
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add("CASSINI-VM start test=a\n\x16=== RUN   T\nCASSINI-HOOK fact=\"\\\n")
	f.Fuzz(func(t *testing.T, output string) {
		run := verdict.Parse(output)
		failures := verdict.Judge(verdict.Machine{Run: run, Want: []string{"capture"}})
		if len(failures) == 0 && !run.Ended {
			t.Error("good without an end")
		}
	})
}
