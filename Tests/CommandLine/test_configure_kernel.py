# SPDX-License-Identifier: Apache-2.0
"""kmod/configure: where kernels are found, what is asked of them, and what is said when something is missing.

Kernels made up for the test have makefiles that answer at once; one real kernel's headers are asked as well.
"""

import os
import platform
import shutil
import subprocess

import pytest

import runner

CONFIGURE = runner.TOP / "kmod" / "configure"
MAKEFILE = """
# What kbuild does, as far as configure sees it: objects for some files, errors for others.
HERE := $(dir $(lastword $(MAKEFILE_LIST)))
CC ?= cc
VERSION = 6
PATCHLEVEL = 1
-include $(M)/Kbuild
modules:
	echo "$(CC) $(ARCH) $(CROSS_COMPILE)" >> $(HERE)/asked
	for file in $(M)/*.c; do \\
	  name=$$(basename $$file .c); \\
	  case " $(ABSENT) " in *" $$name "*) echo "$$file:1:2: error: nothing like it" >&2; continue;; esac; \\
	  case " $(UNEXPORTED) " in *" $$name "*) cp $(HERE)/undefined.o $(M)/$$name.o;; \\
	  *) cp $(HERE)/whole.o $(M)/$$name.o;; esac; \\
	done
"""
ABSENT = "control_undeclared vma_list gup_remote_7"


@pytest.fixture(scope="session")
def objects(tmp_path_factory):
  folder = tmp_path_factory.mktemp("objects")
  for name, text in {"whole": "int probe(void) { return 1; }",
                     "undefined": "int lost(void);\nint probe(void) { return lost(); }"}.items():
    subprocess.run(["gcc", "-x", "c", "-c", "-", "-o", folder / f"{name}.o"], input=text, text=True, check=True)
  return folder


@pytest.fixture
def kernel(objects, directory):
  """Makes a build directory of a kernel."""
  def make(place, release, absent=ABSENT, unexported="control_unexported", config="CONFIG_X86_64=y\n"):
    folder = directory / "root" / place.lstrip("/")
    (folder / "include/generated").mkdir(parents=True)
    (folder / "include/config").mkdir()
    (folder / "include/generated/utsrelease.h").write_text(f'#define UTS_RELEASE "{release}"\n')
    (folder / "include/config/auto.conf").write_text(config)
    (folder / "Module.symvers").write_text("0x00000000\tkmalloc\tvmlinux\tEXPORT_SYMBOL\t\n")
    (folder / "Makefile").write_text(f"ABSENT = {absent}\nUNEXPORTED = {unexported}\n{MAKEFILE}")
    for name in ("whole.o", "undefined.o"):
      shutil.copy(objects / name, folder)
    return folder
  return make


def configure(directory, *words, **variables):
  return subprocess.run(
    [CONFIGURE, f"--output={directory}/out", *words], capture_output=True, text=True, timeout=100,
    env={"PATH": os.environ["PATH"], "BLCR_ROOT": str(directory / "root"), **variables})


def succeeds(directory, *words, **variables):
  done = configure(directory, *words, **variables)
  assert done.returncode == 0, done.stderr
  return (directory / "out/report").read_text()


MACHINE = platform.machine()


@pytest.mark.parametrize("place, release", [
  ("/lib/modules/6.1.0-9-amd64/build", "6.1.0-9-amd64"),
  ("/usr/lib/modules/6.1.9-arch1-1/build", "6.1.9-arch1-1"),
  ("/usr/src/linux-headers-6.1.0-9-amd64", "6.1.0-9-amd64"),
  (f"/usr/src/kernels/6.1.18-200.fc37.{MACHINE}", f"6.1.18-200.fc37.{MACHINE}"),
  (f"/usr/src/kernels/5.14.0-427.el9.{MACHINE}+debug", f"5.14.0-427.el9.{MACHINE}+debug"),
  (f"/usr/src/linux-6.4.0-150600.21-obj/{MACHINE}/default", "6.4.0-150600.21-default"),
  (f"/usr/src/linux-obj/{MACHINE}/default", "6.4.0-150600.21-default"),
  ("/usr/src/linux-6.1.9", "6.1.9"),
  ("/usr/src/linux", "6.1.9-own"),
])
def test_a_release_is_found_where_distributions_put_it(place, release, kernel, directory):
  kernel("/usr/src/linux-headers-6.0.0-other", "6.0.0-other")
  build = kernel(place, release)
  report = succeeds(directory, f"--linux={release}")
  assert f"build folder    {build}\n" in report and f"kernel          {release}, " in report
  assert (directory / "out/release").read_text() == release + "\n"


def test_fedora_without_the_name_of_the_processor(kernel, directory):
  build = kernel(f"/usr/src/kernels/6.1.18-200.fc37.{MACHINE}", f"6.1.18-200.fc37.{MACHINE}")
  assert str(build) in succeeds(directory, "--linux=6.1.18-200.fc37")


def test_a_folder_of_another_release_is_passed_over(kernel, directory):
  kernel("/usr/src/linux", "6.0.0")
  build = kernel("/usr/src/linux-6.1.9", "6.1.9")
  assert str(build) in succeeds(directory, "--linux=6.1.9")
  done = configure(directory, "--linux=6.2.0")
  assert done.returncode == 3
  assert "nothing to build against for Linux 6.2.0" in done.stderr
  assert "root/usr/src/linux: is for 6.0.0" in done.stderr
  assert "linux-headers-6.2.0 (Debian)" in done.stderr


def test_what_else_is_there_is_named(kernel, directory):
  kernel("/usr/src/linux-headers-6.0.0-x", "6.0.0-x")
  done = configure(directory, "--linux=6.2.0")
  assert done.returncode == 3 and "here are: 6.0.0-x" in done.stderr


def test_by_default_the_running_kernel(directory):
  done = configure(directory)
  assert done.returncode == 3 and f"for Linux {platform.release()}" in done.stderr


@pytest.mark.parametrize("lost, message", [
  ("include/config/auto.conf", "has no include/config/auto.conf: it is not a build directory"),
  ("include/generated/utsrelease.h", "has no include/generated/utsrelease.h"),
  ("Makefile", "has no Makefile; say where the source is: --with-linux-src=DIR"),
  ("Module.symvers", "has no Module.symvers, which says what the kernel exports"),
])
def test_an_incomplete_folder_is_refused_by_name(lost, message, kernel, directory):
  build = kernel("/some/where", "6.1.9")
  (build / lost).unlink()
  done = configure(directory, f"--linux={build}")
  assert done.returncode == 1 and message in done.stderr


def test_a_source_that_was_not_configured_and_a_link_that_leads_nowhere(kernel, directory):
  build = kernel("/some/where", "6.1.9")
  (build / "include/config/auto.conf").unlink()
  (build / "Kbuild").touch()
  assert "make olddefconfig modules_prepare" in configure(directory, f"--linux={build}").stderr
  (directory / "root/lib/modules/6.9.9").mkdir(parents=True)
  (directory / "root/lib/modules/6.9.9/build").symlink_to("/nowhere")
  assert "headers of this kernel are not installed" in configure(directory, "--linux=6.9.9").stderr


def test_a_source_of_its_own(kernel, directory):
  build = kernel("/obj", "6.1.9")
  source = directory / "source"
  (source / "scripts").mkdir(parents=True)
  shutil.move(build / "Makefile", source)
  for name in ("whole.o", "undefined.o"):
    shutil.copy(build / name, source)
  assert "no kernel source" in configure(directory, f"--linux={build}", f"--linux-src={source}").stderr
  (source / "scripts/Makefile.build").touch()
  assert f"source          {source}\n" in succeeds(directory, f"--linux={build}", f"--linux-src={source}")
  assert f"-C '{source}' O='{build}'" in (directory / "out/config.mk").read_text()
  (build / "include/generated/utsrelease.h").write_text('#define UTS_RELEASE "6.12.1"\n')
  done = configure(directory, f"--linux={build}", f"--linux-src={source}")
  assert f"is Linux 6.1, but {build} is for 6.12.1" in done.stderr


def test_answers_are_written_and_kept(kernel, directory):
  build = kernel("/k", "6.1.9", unexported="control_unexported has_capability")
  report = succeeds(directory, f"--linux={build}")
  header = (directory / "out/blcr_config.h").read_text()
  assert "#define CR_HAVE_VMA_ITERATOR 1\n" in header and "#define CR_HAVE_VMA_LIST 0\n" in header
  assert "#define CR_HAVE_HAS_CAPABILITY 0\n" in header
  assert '#define CR_CONFIGURED_RELEASE "6.1.9"\n' in header and "CONTROL" not in header
  assert "no: declared, not exported: lost" in report and "no: nothing like it" in report
  succeeds(directory, f"--linux={build}")
  assert len((build / "asked").read_text().splitlines()) == 1
  # Another kernel in the same place is asked again.
  with open(build / "Module.symvers", "a", encoding="utf-8") as file:
    file.write("0x00000000\tlost\tvmlinux\tEXPORT_SYMBOL\t\n")
  done = configure(directory, f"--linux={build}")
  assert len((build / "asked").read_text().splitlines()) == 2
  assert done.returncode == 1 and "cannot be told from others" in done.stderr


@pytest.mark.parametrize("absent, unexported, message", [
  (ABSENT + " control_true", "control_unexported", "no module can be compiled for"),
  ("vma_list gup_remote_7", "control_unexported", "accepts functions that are not declared"),
  (ABSENT, "", "exported symbols cannot be told from others"),
  (ABSENT, "control_unexported control_true", "which every kernel exports"),
  (ABSENT + " control_unexported", "", "the control probe was not compiled"),
])
def test_controls(absent, unexported, message, kernel, directory):
  """Probes that answer wrongly to what is known are not believed."""
  done = configure(directory, f"--linux={kernel('/k', '6.1.9', absent, unexported)}")
  assert done.returncode == 1 and message in done.stderr
  assert not (directory / "out/config.mk").exists()


def test_a_kernel_that_lacks_something(kernel, directory):
  done = configure(directory, f"--linux={kernel('/a', '5.4.0', ABSENT + ' task_work')}")
  assert done.returncode == 1
  assert "lacks what the module needs" in done.stderr and "task_work: nothing like it" in done.stderr
  done = configure(directory, f"--linux={kernel('/b', '5.4.0', ABSENT + ' vma_iterator')}")
  assert done.returncode == 1 and "none of the known ways for areas" in done.stderr


def test_compiler_processor_and_prefix(kernel, directory):
  build = kernel("/k", "6.1.9")
  report = succeeds(directory, f"--linux={build}", "KCC=gcc -pipe", "KARCH=vax", "CROSS_COMPILE=vax-")
  assert (build / "asked").read_text() == "gcc -pipe vax vax-\n"
  assert "compiler        gcc -pipe\n" in report
  config = (directory / "out/config.mk").read_text()
  assert "ARCH='vax' CROSS_COMPILE='vax-' CC='gcc -pipe'" in config
  # CC is for programs, not for the kernel.
  build = kernel("/l", "6.1.9")
  succeeds(directory, f"--linux={build}", CC="unused-compiler")
  assert "unused-compiler" not in (directory / "out/config.mk").read_text()


@pytest.mark.parametrize("config, text", [
  ("CONFIG_X86_64=y\n", "no"),
  ("CONFIG_X86_64=y\nCONFIG_XEN=y\nCONFIG_XEN_PV=y\nCONFIG_XEN_PV_DOM0=y\nCONFIG_XEN_PVH=y\nCONFIG_XEN_PVHVM=y\n",
   "PV dom0, PV domU, PVH, HVM"),
  ("CONFIG_X86_64=y\nCONFIG_XEN=y\nCONFIG_XEN_PVH=y\n", "PVH"),
  ("CONFIG_ARM64=y\nCONFIG_XEN=y\nCONFIG_XEN_DOM0=y\n", "dom0, domU"),
])
def test_xen_is_named(config, text, kernel, directory):
  build = kernel("/k", "6.1.9", config=config)
  assert f"Xen             {text}\n" in succeeds(directory, f"--linux={build}", "CROSS_COMPILE=")


@pytest.mark.parametrize("config, text", [
  ("", "not known to this kernel"), ("CONFIG_MODULE_SIG=y\n", "under Secure Boot or lockdown"),
  ("CONFIG_MODULE_SIG=y\nCONFIG_MODULE_SIG_FORCE=y\n", "only signed modules"),
])
def test_signatures_are_named(config, text, kernel, directory):
  build = kernel("/k", "6.1.9", config="CONFIG_X86_64=y\n" + config)
  assert text in succeeds(directory, f"--linux={build}")


# --- A real kernel

HELLO = runner.TOP / "Tests" / "KernelModule" / "hello"


@pytest.fixture(scope="module")
def headers():
  """The build directory of the kernel that tools/vm boots by default, unpacked from its packages."""
  missing = [name for name in ("apt-get", "dpkg-deb", "gcc-12", "modinfo")
             if shutil.which(name, path=os.environ["PATH"] + ":/sbin:/usr/sbin") is None]
  if not missing:
    done = subprocess.run([runner.TOP / "tools/kernel-headers", "amd64", "linux-headers-cloud-amd64"],
                          capture_output=True, text=True, timeout=300)
    if done.returncode == 0:
      return done.stdout.strip()
    missing = [done.stderr]
  if os.environ.get("CR_SKIP_NOTHING"):
    pytest.fail(f"no headers of a kernel: {missing}")
  pytest.skip(f"needs headers of a kernel: {missing}")


@pytest.fixture(scope="module")
def built(headers, tmp_path_factory):
  """A module that says hello, built for it by our makefile."""
  out = tmp_path_factory.mktemp("real")
  subprocess.run([CONFIGURE, f"--output={out}", f"--linux={headers}"], check=True, timeout=300)
  make(out)
  return out


def make(out, *words, **settings):
  return subprocess.run(["make", "-f", runner.TOP / "kmod/Makefile", f"OUT={out}", f"MODULE_SOURCE={HELLO}", *words],
                        check=settings.pop("check", True), capture_output=True, text=True, timeout=200, **settings)


def test_a_real_kernel_answers(built):
  header = (built / "blcr_config.h").read_text()
  assert "#define CR_HAVE_TASK_WORK 1\n" in header and "#define CR_HAVE_PTRACE_MAY_ACCESS 0\n" in header
  assert "no: declared, not exported: ptrace_may_access" in (built / "report").read_text()
  release = (built / "release").read_text()
  if release.startswith("6.1.0"):
    for name, answer in {"VMA_ITERATOR": 1, "VMA_LIST": 0, "GUP_REMOTE_6": 0, "GUP_REMOTE_7": 1, "RSEQ_FLAT": 1,
                         "RSEQ_NESTED": 0, "HRTIMER_SETUP": 0, "FDGET_WORD": 1}.items():
      assert f"#define CR_HAVE_{name} {answer}\n" in header


def test_modinfo_tells_version_and_kernel(built):
  release = (built / "release").read_text().strip()
  words = subprocess.run(["/sbin/modinfo", built / release / "blcr.ko"], capture_output=True, text=True, check=True).stdout
  assert f"vermagic:       {release} " in words and "license:        GPL" in words
  version = subprocess.run([runner.TOP / "configure", "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
  assert f"version:        {version}\n" in words and "name:           blcr\n" in words


def test_install_and_uninstall(built, directory):
  release = (built / "release").read_text().strip()
  place = directory / f"dest/lib/modules/{release}/updates/blcr.ko"
  make(built, "install", f"DESTDIR={directory}/dest")
  assert place.is_file()
  make(built, "uninstall", f"DESTDIR={directory}/dest")
  assert not place.exists()


def test_another_kernel_runs(built):
  """insmod would say "Invalid module format"."""
  done = make(built, "insmod", check=False, env={**os.environ, "BLCR_RELEASE": "6.1.0-0-other"})
  assert done.returncode != 0
  assert f"is for Linux {(built / 'release').read_text().strip()}, but Linux 6.1.0-0-other is running" in done.stderr
  assert "./configure --with-linux=6.1.0-0-other && make" in done.stderr


def test_tools_and_module_of_two_versions(built):
  release = (built / "release").read_text().strip()
  done = subprocess.run([runner.TOP / "kmod/check-module", "--version", "99.9", built / release / "blcr.ko"],
                        capture_output=True, text=True, env={**os.environ, "BLCR_RELEASE": release})
  assert done.returncode == 1 and "the tools are 99.9: build both from one source" in done.stderr
  done = subprocess.run([runner.TOP / "kmod/check-module", "/bin/true"], capture_output=True, text=True)
  assert done.returncode == 1 and "/bin/true is no kernel module" in done.stderr


def test_a_module_is_signed_with_the_key_given(built, directory):
  if shutil.which("openssl") is None:
    pytest.skip("needs openssl")
  subprocess.run(["openssl", "req", "-new", "-x509", "-newkey", "rsa:2048", "-keyout", directory / "key", "-outform", "PEM",
                  "-out", directory / "cert", "-nodes", "-days", "1", "-subj", "/CN=test"], check=True, capture_output=True)
  out = directory / "out"
  shutil.copytree(built, out)
  release = (out / "release").read_text().strip()
  (out / release / "blcr.ko").unlink()
  make(out, f"MODULE_KEY={directory}/key", f"MODULE_CERT={directory}/cert")
  words = subprocess.run(["/sbin/modinfo", out / release / "blcr.ko"], capture_output=True, text=True, check=True).stdout
  assert "sig_id:         PKCS#7" in words and "signer:         test" in words


def test_the_main_configure_reports(headers, directory):
  done = subprocess.run([runner.TOP / "configure", "--report"], cwd=directory, capture_output=True, text=True)
  assert done.returncode == 1 and "nothing was asked of a kernel yet" in done.stderr
  path = os.environ["PATH"] + ":/opt/swift/usr/bin"
  done = subprocess.run([runner.TOP / "configure", f"--with-linux={headers}"], cwd=directory, capture_output=True,
                        text=True, timeout=300, env={**os.environ, "PATH": path})
  assert done.returncode == 0, done.stderr
  assert "kernel module     for " in done.stdout and "(Xen: PV domU, PVH, HVM)" in done.stdout
  assert "its compiler      gcc" in done.stdout
  done = subprocess.run([runner.TOP / "configure", "--report"], cwd=directory, capture_output=True, text=True)
  assert "are areas of memory in a maple tree (6.1)?" in done.stdout


@pytest.mark.parametrize("words, message", [
  (["--without-kmod"], "kernel module     not wanted"),
  ([], f"kernel module     none: there is nothing to build against for Linux {platform.release()}"),
])
def test_without_a_kernel(words, message, directory):
  path = os.environ["PATH"] + ":/opt/swift/usr/bin"
  done = subprocess.run([runner.TOP / "configure", *words], cwd=directory, capture_output=True,
                        text=True, timeout=300, env={**os.environ, "PATH": path, "BLCR_ROOT": str(directory)})
  assert done.returncode == 0, done.stderr
  assert message in done.stdout


def test_with_linux_and_nothing_there_is_an_error(directory):
  path = os.environ["PATH"] + ":/opt/swift/usr/bin"
  done = subprocess.run([runner.TOP / "configure", "--with-linux=1.2.3"], cwd=directory, capture_output=True,
                        text=True, timeout=300, env={**os.environ, "PATH": path, "BLCR_ROOT": str(directory)})
  assert done.returncode == 1 and "error: there is nothing to build against for Linux 1.2.3" in done.stderr
