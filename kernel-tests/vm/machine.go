package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"cassini/kernel-tests/internal/debian"
)

// guestGrace is how much longer than its timeout /init lets a binary live, and
// a little for the end.
const guestGrace = 15 * time.Second

// ports are the files that the machine's two serial ports write to.
type ports struct{ console, output string }

func portsOf(prefix string) ports {
	return ports{console: prefix + ".console.log", output: prefix + ".output.log"}
}

// clear removes the last run's files, so that they are not taken for this one's.
func (p ports) clear() error {
	for _, name := range []string{p.console, p.output} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove the last run's log: %w", err)
		}
	}
	return nil
}

// board is how a machine of one architecture is put together.
type board struct {
	machine string   // QEMU's name of it
	console string   // the kernel's device for the console
	output  string   // and the one for results
	boot    string   // for its kernels alone
	args    []string // the devices behind these
}

func boardOf(arch string, p ports) board {
	if arch == "arm64" { // its own serial port, and one on the PCI bus
		return board{machine: "virt", console: "ttyAMA0", output: "/dev/ttyS0", args: []string{
			"-serial", "file:" + p.console,
			"-chardev", "file,id=output,path=" + p.output, "-device", "pci-serial,chardev=output",
		}}
	}
	// A busy host emulates the timer too slowly for the kernel's check of it, which panics.
	return board{machine: "q35", console: "ttyS0", output: "/dev/ttyS1", boot: "no_timer_check", args: []string{
		"-serial", "file:" + p.console, "-serial", "file:" + p.output,
	}}
}

// emulate runs the machine until it powers off, panics, or ctx ends it. Emulation
// without acceleration gives the same result on every host.
func (l *lab) emulate(ctx context.Context, kernel debian.Kernel, initramfs string, p ports) error {
	b := boardOf(kernel.Arch, p)
	boot := []string{
		"console=" + b.console, "rdinit=/init", "panic=-1", "oops=panic",
		"mitigations=off", "random.trust_cpu=on", b.boot, l.opts.append,
	}
	args := []string{
		"-M", b.machine, "-accel", "tcg", "-cpu", "max", "-smp", strconv.Itoa(l.opts.cpus), "-m", strconv.Itoa(l.opts.memory),
		"-nodefaults", "-no-reboot", "-display", "none",
		"-kernel", kernel.Image, "-initrd", initramfs, "-append", strings.TrimSpace(strings.Join(boot, " ")),
	}
	var stderr bytes.Buffer
	cmd := l.qemu.Command(ctx, append(args, b.args...)...)
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run QEMU: %w %s", err, strings.TrimSpace(stderr.String()))
	}
	return nil
}
