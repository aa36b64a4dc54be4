package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"cassini/tools/bench"
)

// counters are one host's so far.
type counters struct {
	packets  uint64 // that left by eth0: UDP, TCP, ARP
	bytes    uint64
	udp      uint64 // datagrams of the namespace
	cpu      time.Duration
	switches uint64 // times that a thread of the program was taken off the processor
}

// readCounters reads those of a program and of its network namespace.
func readCounters(pid int) (c counters, err error) {
	dev, err1 := os.ReadFile(fmt.Sprintf("/proc/%d/net/dev", pid))
	snmp, err2 := os.ReadFile(fmt.Sprintf("/proc/%d/net/snmp", pid))
	var err3 error
	c.cpu, err3 = bench.CPU(pid)
	if err := errors.Join(err1, err2, err3); err != nil {
		return c, fmt.Errorf("read counters of %d: %w", pid, err)
	}
	if c.bytes, c.packets, err = transmitted(dev); err != nil {
		return c, err
	}
	c.udp, err = datagrams(snmp)
	c.switches = contextSwitches(pid)
	return c, err
}

// transmitted finds what left by eth0: fields 9 and 10 of its line.
func transmitted(dev []byte) (size, packets uint64, err error) {
	for line := range bytes.Lines(dev) {
		name, rest, ok := bytes.Cut(line, []byte(":"))
		fields := bytes.Fields(rest)
		if ok && string(bytes.TrimSpace(name)) == "eth0" && len(fields) > 9 {
			size, err1 := strconv.ParseUint(string(fields[8]), 10, 64)
			packets, err2 := strconv.ParseUint(string(fields[9]), 10, 64)
			return size, packets, errors.Join(err1, err2)
		}
	}
	return 0, 0, errors.New("no eth0")
}

// datagrams is OutDatagrams: of the two lines of Udp, the first names the second's.
func datagrams(snmp []byte) (uint64, error) {
	var names []string
	for line := range strings.Lines(string(snmp)) {
		fields := strings.Fields(line)
		if len(fields) == 0 || fields[0] != "Udp:" {
			continue
		}
		if names == nil {
			names = fields
			continue
		}
		for i, name := range names {
			if name == "OutDatagrams" && i < len(fields) {
				return strconv.ParseUint(fields[i], 10, 64)
			}
		}
	}
	return 0, errors.New("no count of datagrams")
}

// contextSwitches adds up those of the threads that are there.
func contextSwitches(pid int) (n uint64) {
	dir := fmt.Sprintf("/proc/%d/task", pid)
	tasks, err := os.ReadDir(dir)
	if err != nil {
		return 0
	}
	for _, t := range tasks {
		status, _ := os.ReadFile(dir + "/" + t.Name() + "/status")
		n += field(status, "voluntary_ctxt_switches") + field(status, "nonvoluntary_ctxt_switches")
	}
	return n
}

// field of a status file.
func field(status []byte, name string) uint64 {
	lines := bufio.NewScanner(bytes.NewReader(status))
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), name+":"); ok {
			if fields := strings.Fields(rest); len(fields) > 0 {
				n, _ := strconv.ParseUint(fields[0], 10, 64)
				return n
			}
		}
	}
	return 0
}

// machineTime is how long the machine's processors were not idle, all together, up to
// now. Time that the host of a virtual machine took is not counted.
func machineTime() (time.Duration, error) {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, fmt.Errorf("read the machine's times: %w", err)
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	fields := strings.Fields(first)
	var busy uint64 // in ticks of USER_HZ, which is 100 on all machines that Cassini runs on
	for i, f := range fields {
		n, err := strconv.ParseUint(f, 10, 64)
		if idle := i == 4 || i == 5; err != nil || idle || i > 7 {
			continue // the name; idle and iowait; guests, who are in user already
		}
		if i != 8 {
			busy += n
		}
	}
	return time.Duration(busy) * 10 * time.Millisecond, nil
}
