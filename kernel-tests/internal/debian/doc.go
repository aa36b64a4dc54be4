// Package debian fetches what the virtual machines need from the mirrors that
// this machine itself uses: kernels, and a QEMU that is new enough. Each suite
// gets a private apt root, so that the system's apt stays as it is and no
// privileges are needed. What is fetched is unpacked once and kept, since old
// versions vanish from mirrors.
package debian
