//go:build linux

// Command init is process 1 of the virtual machine: it mounts what a server
// would have mounted, loads a few modules, runs the test binaries of the plan
// one after the other, says how each ended and powers off.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"cassini/kernel-tests/internal/guest"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "this is /init of the kernel tests' virtual machine; on a host run: go run ./kernel-tests/vm")
		os.Exit(2)
	}
	problems := mountAll()
	plan, out, err := open()
	if err != nil {
		fmt.Println("/init:", err)
		powerOff()
	}
	say(out, guest.LineBoot, release())
	for _, err := range append(problems, prepare(plan)...) {
		say(out, guest.LineProblem, err)
	}
	work(plan, out)
	say(out, guest.LineEnd)
	powerOff()
}

// work runs the tests, or commits the fault that the plan asks for.
func work(plan guest.Plan, out *os.File) {
	for _, test := range plan.Tests {
		say(out, guest.LineStart, test.Name)
		switch plan.Break {
		case guest.BreakPanic:
			_ = os.WriteFile("/proc/sysrq-trigger", []byte("c"), 0)
		case guest.BreakExit:
			os.Exit(3)
		case guest.BreakHang:
			sleepForever()
		case guest.BreakNoResult:
			powerOff()
		}
		exit, seconds := run(test, out)
		say(out, "\n"+guest.LineResult, test.Name, exit, seconds)
	}
}

func open() (guest.Plan, *os.File, error) {
	var plan guest.Plan
	data, err := os.ReadFile(guest.PlanPath)
	if err == nil {
		err = json.Unmarshal(data, &plan)
	}
	if err != nil {
		return plan, nil, fmt.Errorf("read plan: %w", err)
	}
	out, err := os.OpenFile(plan.Output, os.O_WRONLY|unix.O_NOCTTY, 0)
	if err != nil {
		return plan, nil, fmt.Errorf("open output: %w", err)
	}
	return plan, out, raw(out)
}

// raw stops the terminal from turning line ends into two characters.
func raw(port *os.File) error {
	termios, err := unix.IoctlGetTermios(int(port.Fd()), unix.TCGETS)
	if err != nil {
		return fmt.Errorf("read settings of %s: %w", port.Name(), err)
	}
	termios.Oflag &^= unix.OPOST
	if err := unix.IoctlSetTermios(int(port.Fd()), unix.TCSETS, termios); err != nil {
		return fmt.Errorf("set up %s: %w", port.Name(), err)
	}
	return nil
}

func say(out *os.File, format string, args ...any) {
	fmt.Fprintf(out, format+"\n", args...)
	const drain = 1 // wait until everything is on the wire
	_ = unix.IoctlSetInt(int(out.Fd()), unix.TCSBRK, drain)
}

func powerOff() {
	unix.Sync()
	_ = unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
	sleepForever() // the machine has no power switch: the harness's timeout ends it
}

// sleepForever sleeps, since Go ends a program that only blocks.
func sleepForever() {
	for {
		time.Sleep(time.Hour)
	}
}

func release() string {
	var name unix.Utsname
	_ = unix.Uname(&name)
	return unix.ByteSliceToString(name.Release[:])
}
