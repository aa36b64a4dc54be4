// Package verdict reads what a virtual machine printed and judges it. It is
// pure: text in, results out.
package verdict

import (
	"regexp"
	"strconv"
	"strings"

	"cassini/kernel-tests/internal/guest"
)

// Results of a test.
const (
	Pass = "pass"
	Fail = "fail"
	Skip = "skip"
	// Cut is a test that began and did not end.
	Cut = "cut off"
)

// Test is one test or subtest of a binary.
type Test struct {
	Name    string   `json:"name"`
	Result  string   `json:"result"`
	Seconds float64  `json:"seconds"`
	Output  []string `json:"-"`
}

// Sub reports whether it is a subtest of another.
func (t Test) Sub() bool { return strings.Contains(t.Name, "/") }

// Binary is one run of one test binary.
type Binary struct {
	Name    string   `json:"name"`
	Ended   bool     `json:"ended"` // a result line came
	Exit    int      `json:"exit"`
	Seconds float64  `json:"seconds"`
	Tests   []*Test  `json:"tests"`
	Output  []string `json:"-"`
}

// Hook is one line "CASSINI-HOOK key=value ..." of a test: which hook serves
// which fact on this kernel.
type Hook map[string]string

// Run is what came out of one virtual machine's result port.
type Run struct {
	Release  string    `json:"uname"` // uname -r, as /init says
	Binaries []*Binary `json:"binaries"`
	Hooks    []Hook    `json:"hooks,omitempty"`
	Problems []string  `json:"problems,omitempty"` // what /init could not do
	Ended    bool      `json:"ended"`
}

// parser is the state between two lines.
type parser struct {
	run     Run
	binary  *Binary
	tests   map[string]*Test
	current *Test
}

// Parse reads the result port's output, which may end anywhere.
func Parse(output string) Run {
	var p parser
	for line := range strings.Lines(output) {
		p.line(strings.TrimRight(line, "\r\n"))
	}
	return p.run
}

func (p *parser) line(line string) {
	var name, release string
	var exit int
	var seconds float64
	switch {
	case guest.Scan(line, guest.LineBoot, &release):
		p.run.Release = release
	case guest.Scan(line, guest.LineStart, &name):
		p.binary, p.tests, p.current = &Binary{Name: name}, make(map[string]*Test), nil
		p.run.Binaries = append(p.run.Binaries, p.binary)
	case p.binary != nil && guest.Scan(line, guest.LineResult, &name, &exit, &seconds) && name == p.binary.Name:
		p.binary.Ended, p.binary.Exit, p.binary.Seconds = true, exit, seconds
		p.binary = nil
	case line == guest.LineEnd:
		p.run.Ended = true
	case strings.HasPrefix(line, guest.Prefix+"problem "):
		p.run.Problems = append(p.run.Problems, strings.TrimPrefix(line, guest.Prefix+"problem "))
	case p.binary != nil:
		p.output(line)
	}
}

// marker precedes the testing package's own lines under -test.v=test2json.
const marker = "\x16"

var (
	began = regexp.MustCompile(`^\s*=== (RUN|NAME|CONT|PAUSE)\s+(\S*)$`)
	ended = regexp.MustCompile(`^\s*--- (PASS|FAIL|SKIP): (\S+) \(([0-9.]+)s\)$`)
)

func (p *parser) output(line string) {
	if at := strings.LastIndex(line, marker); at >= 0 {
		line = line[at+len(marker):]
		if p.event(line) {
			return
		}
	}
	p.binary.Output = append(p.binary.Output, line)
	if p.current != nil {
		p.current.Output = append(p.current.Output, line)
	}
	if hook := parseHook(line); hook != nil {
		p.run.Hooks = append(p.run.Hooks, hook)
	}
}

func (p *parser) event(line string) bool {
	if m := began.FindStringSubmatch(line); m != nil {
		p.current = p.test(m[2])
		return true
	}
	m := ended.FindStringSubmatch(line)
	if m == nil {
		return false
	}
	test := p.test(m[2])
	test.Result = map[string]string{"PASS": Pass, "FAIL": Fail, "SKIP": Skip}[m[1]]
	test.Seconds, _ = strconv.ParseFloat(m[3], 64) // the expression lets only numbers pass
	p.current = nil                                // what follows belongs to none until it is said
	return true
}

// test returns the test of a name, which is new when it begins, and nil for the
// empty name, which stands before what belongs to none.
func (p *parser) test(name string) *Test {
	if name == "" {
		return nil
	}
	test := p.tests[name]
	if test == nil {
		test = &Test{Name: name, Result: Cut}
		p.tests[name] = test
		p.binary.Tests = append(p.binary.Tests, test)
	}
	return test
}
