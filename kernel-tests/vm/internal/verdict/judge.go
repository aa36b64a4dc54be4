package verdict

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"cassini/kernel-tests/internal/guest"
)

// Failure is one reason why a machine's run is not good, and the part of the
// logs that shows it.
type Failure struct {
	What string   `json:"what"`
	Log  []string `json:"log,omitempty"`
}

// Machine is all that is known of one run of one virtual machine.
type Machine struct {
	Run
	Console  string        // the kernel's own console
	Limit    time.Duration // how long it was allowed to take
	TimedOut bool
	QEMU     error // the emulator did not end well
	Want     []string
}

// context is how many lines of a log a failure shows.
const context = 40

// died matches what a kernel says when it is at its end.
var died = regexp.MustCompile(`Kernel panic - not syncing|Oops:|kernel BUG at|BUG: unable to handle|Unable to mount root fs|Internal error: `)

// Judge returns every reason why the run is not good, the cause before its
// consequences. None means that each wanted binary ran tests and they passed.
func Judge(m Machine) []Failure {
	if failure := death(m); failure != nil {
		return append([]Failure{*failure}, tests(m)...)
	}
	failures := tests(m)
	for _, problem := range m.Problems {
		failures = append(failures, Failure{What: "/init: " + problem})
	}
	if len(failures) == 0 && m.QEMU != nil {
		failures = append(failures, Failure{What: m.QEMU.Error(), Log: tail(m.Console)})
	}
	if len(failures) == 0 && !m.Ended {
		failures = append(failures, Failure{What: "/init never came to its end", Log: tail(m.Console)})
	}
	return failures
}

// death tells why the machine as a whole did not live long enough.
func death(m Machine) *Failure {
	lines := strings.Split(m.Console, "\n")
	at := slices.IndexFunc(lines, died.MatchString)
	switch {
	case at >= 0:
		from, to := max(0, at-8), min(len(lines), at+context)
		return &Failure{What: "the kernel died" + during(m.Run) + ": " + message(lines[at]), Log: trim(lines[from:to])}
	case m.TimedOut:
		return &Failure{What: fmt.Sprintf("timeout: not at its end after %s%s", m.Limit, during(m.Run)), Log: lastWords(m)}
	case m.Release == "" && m.QEMU != nil:
		return &Failure{What: "it did not boot: " + m.QEMU.Error(), Log: tail(m.Console)}
	case m.Release == "":
		return &Failure{What: "it did not boot: /init never spoke", Log: tail(m.Console)}
	}
	return nil
}

func tests(m Machine) []Failure {
	var failures []Failure
	for _, want := range m.Want {
		at := slices.IndexFunc(m.Binaries, func(b *Binary) bool { return b.Name == want })
		if at < 0 {
			failures = append(failures, Failure{What: want + ": was never started"})
			continue
		}
		failures = append(failures, m.Binaries[at].judge()...)
	}
	return failures
}

func (b *Binary) judge() []Failure {
	if !b.Ended {
		return []Failure{{What: fmt.Sprintf("%s: no result line%s", b.Name, b.running()), Log: last(b.Output)}}
	}
	var failures []Failure
	ran := 0
	for _, test := range b.Tests {
		if test.Result == Pass || test.Result == Fail {
			ran++
		}
		if test.Result == Fail && !b.parentOfFailure(test) {
			failures = append(failures, Failure{What: fmt.Sprintf("%s: %s failed", b.Name, test.Name), Log: last(test.Output)})
		}
	}
	switch {
	case b.Exit == guest.Killed:
		failures = append(failures, Failure{What: fmt.Sprintf("%s: killed by a signal after %.0f s%s", b.Name, b.Seconds, b.running()), Log: last(b.Output)})
	case b.Exit != 0 && len(failures) == 0:
		failures = append(failures, Failure{What: fmt.Sprintf("%s: exit status %d%s", b.Name, b.Exit, b.running()), Log: b.panicked()})
	case b.Exit == 0 && ran == 0:
		failures = append(failures, Failure{What: fmt.Sprintf("%s: no tests ran, %d skipped", b.Name, len(b.Tests)), Log: last(b.Output)})
	}
	return failures
}

// parentOfFailure reports whether a test failed because of a subtest, which is
// then reported instead.
func (b *Binary) parentOfFailure(test *Test) bool {
	return len(test.Output) == 0 && slices.ContainsFunc(b.Tests, func(other *Test) bool {
		return other.Result == Fail && strings.HasPrefix(other.Name, test.Name+"/")
	})
}

// running names the tests that began and did not end.
func (b *Binary) running() string {
	var names []string
	for _, test := range b.Tests {
		if test.Result == Cut {
			names = append(names, test.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return " while " + strings.Join(names, ", ") + " ran"
}

// panicked shows the binary's output from Go's "panic:" on, else its end.
func (b *Binary) panicked() []string {
	at := slices.IndexFunc(b.Output, func(line string) bool {
		return strings.HasPrefix(line, "panic: ") || strings.HasPrefix(line, "fatal error: ")
	})
	if at < 0 {
		return last(b.Output)
	}
	return trim(b.Output[at:min(len(b.Output), at+context)])
}

func during(run Run) string {
	for _, b := range run.Binaries {
		if !b.Ended {
			return " in " + b.Name + b.running()
		}
	}
	return ""
}

// lastWords is the end of the running binary's output, or of the console before
// any ran.
func lastWords(m Machine) []string {
	for _, b := range m.Binaries {
		if !b.Ended && len(b.Output) > 0 {
			return last(b.Output)
		}
	}
	return tail(m.Console)
}

// message takes the time stamp off a line of the kernel's.
func message(line string) string {
	if _, after, ok := strings.Cut(line, "] "); ok {
		line = after
	}
	return strings.TrimSpace(line)
}

func tail(log string) []string { return last(strings.Split(log, "\n")) }

func last(lines []string) []string {
	lines = trim(lines)
	return lines[max(0, len(lines)-context):]
}

// trim takes off carriage returns, and empty lines at both ends.
func trim(lines []string) []string {
	var kept []string
	for _, line := range lines {
		kept = append(kept, strings.TrimRight(line, "\r"))
	}
	for len(kept) > 0 && strings.TrimSpace(kept[0]) == "" {
		kept = kept[1:]
	}
	for len(kept) > 0 && strings.TrimSpace(kept[len(kept)-1]) == "" {
		kept = kept[:len(kept)-1]
	}
	return kept
}
