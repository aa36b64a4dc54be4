package bpf

import (
	"os"
	"strings"
)

// lockdownPath names all levels of the kernel's lockdown, the one in force in brackets
// (security/lockdown/lockdown.c).
const lockdownPath = "/sys/kernel/security/lockdown"

// Confidential reports whether the kernel is locked down for confidentiality, where no program may
// read the kernel's memory: its helpers for that are refused (LOCKDOWN_BPF_READ_KERNEL). At the level
// integrity, which Secure Boot brings along, all of them load.
func Confidential() bool {
	levels, err := os.ReadFile(lockdownPath)
	return err == nil && strings.Contains(string(levels), "[confidentiality]")
}
