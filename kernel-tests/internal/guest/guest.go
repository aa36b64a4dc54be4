// Package guest is what the harness on the host and /init in the virtual machine
// agree on: the plan that goes in and the lines that come out.
package guest

import (
	"fmt"
	"strings"
	"time"
)

// PlanPath is where the plan lies in the initramfs.
const PlanPath = "/cassini/plan.json"

// Plan is what /init does, in this order.
type Plan struct {
	// Output is the serial port for test output and result lines. The console
	// stays the kernel's own, so that neither tears the other's lines.
	Output string `json:"output"`
	// Modules are paths in the initramfs, in the order to load them.
	Modules []string `json:"modules"`
	Tests   []Test   `json:"tests"`
	// Break is a way to fail on purpose, for the harness's own tests.
	Break Break `json:"break,omitempty"`
}

// Test is one static test binary in the initramfs.
type Test struct {
	Name    string        `json:"name"`
	Path    string        `json:"path"`
	Args    []string      `json:"args"`
	Timeout time.Duration `json:"timeout"` // the binary's own; /init kills it a while later
}

// Break is a fault that /init commits on purpose.
type Break string

// The faults that /init knows.
const (
	BreakNothing  Break = ""
	BreakPanic    Break = "panic"     // the kernel panics while a test runs
	BreakExit     Break = "exit"      // /init ends, which is a panic too
	BreakHang     Break = "hang"      // nothing more happens
	BreakNoResult Break = "no-result" // powers off without a result line
)

// Breaks are all faults, for usage messages and tests.
var Breaks = [...]Break{BreakPanic, BreakExit, BreakHang, BreakNoResult}

// Prefix begins each line that /init itself prints to Plan.Output.
const Prefix = "CASSINI-VM "

// Lines of /init, in the order in which they come.
const (
	LineBoot    = Prefix + "boot kernel=%s"
	LineProblem = Prefix + "problem %s"
	LineStart   = Prefix + "start test=%s"
	LineResult  = Prefix + "result test=%s exit=%d seconds=%.2f"
	LineEnd     = Prefix + "end"
)

// Killed is the exit status of a test binary that outlived its timeout.
const Killed = -1

// Scan reads values out of a line that was printed with one of the Line formats,
// and reports whether it is one.
func Scan(line, format string, values ...any) bool {
	if !strings.HasPrefix(line, Prefix) {
		return false
	}
	format = strings.ReplaceAll(format, "%.2f", "%g")
	n, err := fmt.Sscanf(line, format, values...)
	return err == nil && n == len(values)
}
