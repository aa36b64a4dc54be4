package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"

	"cassini/model"

	"golang.org/x/sys/unix"
)

// ReadIdentity reads what tells this host from another. agent is the version of
// the agent, started when it began.
func ReadIdentity(agent string, started time.Time) (model.Identity, error) {
	hostname, err := os.Hostname()
	if err != nil {
		return model.Identity{}, fmt.Errorf("read host name: %w", err)
	}
	id := model.Identity{Hostname: hostname, Agent: agent, AgentStart: started.UTC()}
	var errs [3]error
	id.MachineID, errs[0] = readLine("/etc/machine-id")
	id.BootID, errs[1] = readLine("/proc/sys/kernel/random/boot_id")
	id.BootTime, errs[2] = bootTime()
	id.DMI = readDMI()
	return id, errors.Join(errs[:]...)
}

// readDMI reads the UUID that the firmware or the hypervisor gave this machine; "" where
// there is none, or only root may read it.
func readDMI() string {
	uuid, err := readLine("/sys/class/dmi/id/product_uuid")
	if err != nil {
		return ""
	}
	return plausibleUUID(uuid)
}

// plausibleUUID is "" for what some firmware has for all machines alike: zeros, or ones.
func plausibleUUID(uuid string) string {
	uuid = strings.ToLower(uuid)
	if strings.Trim(uuid, "0-") == "" || strings.Trim(uuid, "f-") == "" {
		return ""
	}
	return uuid
}

// ReadOS reads what runs on this host.
func ReadOS() (model.OS, error) {
	var uts unix.Utsname
	if err := unix.Uname(&uts); err != nil {
		return model.OS{}, fmt.Errorf("read uname: %w", err)
	}
	os := model.OS{
		Name:   "Linux",
		Kernel: unix.ByteSliceToString(uts.Release[:]),
		Arch:   unix.ByteSliceToString(uts.Machine[:]),
	}
	raw, err := readOSRelease()
	if err != nil {
		return os, err
	}
	parseOSRelease(raw, &os)
	return os, nil
}

// readOSRelease follows os-release(5): /etc first, then /usr/lib; a system
// without either is no error.
func readOSRelease() (string, error) {
	for _, path := range []string{"/etc/os-release", "/usr/lib/os-release"} {
		raw, err := os.ReadFile(path)
		if err == nil {
			return string(raw), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("read os-release: %w", err)
		}
	}
	return "", nil
}

func parseOSRelease(raw string, os *model.OS) {
	for line := range strings.Lines(raw) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		if unquoted, err := strconv.Unquote(value); err == nil {
			value = unquoted
		}
		switch key {
		case "ID":
			os.ID = value
		case "PRETTY_NAME":
			os.Name = value
		case "VERSION_ID":
			os.Version = value
		}
	}
}

// readLine reads a one-line file; one that does not exist is "".
func readLine(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read %s: %w", path, err)
	}
	return strings.TrimSpace(string(raw)), nil
}

// bootTime reads btime of /proc/stat (proc_stat(5)), which stands still between
// boots where now minus uptime would shake.
func bootTime() (time.Time, error) {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return time.Time{}, fmt.Errorf("read boot time: %w", err)
	}
	for line := range strings.Lines(string(raw)) {
		if value, ok := strings.CutPrefix(line, "btime "); ok {
			seconds, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
			if err != nil {
				return time.Time{}, fmt.Errorf("read boot time: %w", err)
			}
			return time.Unix(seconds, 0).UTC(), nil
		}
	}
	return time.Time{}, errors.New("read boot time: /proc/stat has no btime")
}
