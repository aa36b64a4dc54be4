package bpf

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// Why the kernel side cannot be used at all. The wrapping error tells the person
// what to do.
var (
	ErrNotPermitted = errors.New("not permitted")
	ErrNoBTF        = errors.New("kernel has no type information")
	ErrUnsupported  = errors.New("kernel cannot run it")
)

// ErrBadEvent marks a record of the ring buffer that could not be decoded. The
// next one may be read.
var ErrBadEvent = errors.New("bad event")

const btfPath = "/sys/kernel/btf/vmlinux"

// explain turns an error of loading or attaching into one that says what to do.
func explain(doing string, err error) error {
	var verifier *ebpf.VerifierError
	switch {
	case err == nil:
		return nil
	case noBTF():
		return fmt.Errorf("%s: %w: %s is missing; use a kernel built with CONFIG_DEBUG_INFO_BTF=y (all current distribution kernels are), or mount sysfs if this is a container", doing, ErrNoBTF, btfPath)
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES) && !errors.As(err, &verifier):
		return fmt.Errorf("%s: %w: run as root, or with the capabilities CAP_BPF, CAP_PERFMON, CAP_NET_ADMIN, CAP_SYS_PTRACE, CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH: %w", doing, ErrNotPermitted, err)
	case errors.As(err, &verifier) && Confidential():
		return fmt.Errorf("%s: %w: it is locked down for confidentiality, where no eBPF program may read the kernel's memory; boot it with lockdown=integrity: %w", doing, ErrUnsupported, err)
	case errors.As(err, &verifier):
		return fmt.Errorf("%s: %w: the kernel's verifier refused it; Cassini is tried on Linux 6.1 to 7.2; on one of these please report this text: %+v", doing, ErrUnsupported, verifier)
	case errors.Is(err, ebpf.ErrNotSupported):
		return fmt.Errorf("%s: %w: Cassini wants Linux 6.1 or newer: %w", doing, ErrUnsupported, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

func noBTF() bool {
	_, err := os.Stat(btfPath)
	return errors.Is(err, os.ErrNotExist)
}
