package agent

import (
	"io/fs"
	"strings"
)

// dmi is where the kernel shows what the firmware tells of the machine
// (Documentation/ABI/testing/sysfs-firmware-dmi-tables, drivers/firmware/dmi-id.c).
const dmi = "/sys/class/dmi/id"

// ownChassis is the serial number of the enclosure that this machine fails with: blades
// share theirs. "" where the firmware does not tell, as in virtual machines and on boards
// whose maker left the form's words in.
func ownChassis(dmi fs.FS) string {
	raw, err := fs.ReadFile(dmi, "chassis_serial")
	if err != nil {
		return ""
	}
	serial := strings.TrimSpace(string(raw))
	if !tellsApart(serial) {
		return ""
	}
	return short("chassis:" + serial)
}

// tellsApart says whether a serial number is one. Of the words that makers leave instead,
// these are common; what else is left makes neighbors keep apart that need not.
func tellsApart(serial string) bool {
	if strings.Trim(serial, "0.-xX ") == "" {
		return false
	}
	lower := strings.ToLower(serial)
	for _, words := range []string{
		"to be filled", "o.e.m", "default string", "none", "not specified", "not available", "not applicable", "n/a",
		"unknown", "serial number", "chassis serial", "system serial", "0123456789", "123456789", "empty", "invalid",
	} {
		if strings.Contains(lower, words) {
			return false
		}
	}
	return true
}
