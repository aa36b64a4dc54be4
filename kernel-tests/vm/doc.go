// Command vm runs Go test binaries on Debian's kernels in virtual machines.
//
//	CGO_ENABLED=0 go test -c -o bin/capture.test ./kernel-tests/capture
//	go run ./kernel-tests/vm -kernels 6.1,6.12 -test bin/capture.test
//
// It fetches each kernel from the mirrors that this machine's apt uses, packs
// the binaries with a static /init into an initramfs, boots it in QEMU without
// acceleration, and judges what comes out of the serial ports. A kernel that
// dies, a timeout, a missing result, a failing test and a binary in which no
// test ran each make it fail, with the part of the log that shows why.
package main
