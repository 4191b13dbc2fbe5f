//! Recordings by process, from the process objects of Core Audio (macOS 14.2 and later). Earlier versions only report
//! whether a device runs. Core Audio signals changes; the state is then read again.

use std::{ffi::c_void, ptr::NonNull};

use block2::RcBlock;
use dispatch2::{DispatchQueue, DispatchRetained};
use objc2_core_audio::{
    AudioObjectAddPropertyListenerBlock, AudioObjectGetPropertyData,
    AudioObjectGetPropertyDataSize, AudioObjectID, AudioObjectPropertyAddress,
    AudioObjectPropertyScope, AudioObjectPropertySelector, AudioObjectRemovePropertyListenerBlock,
    kAudioDevicePropertyDeviceIsRunningSomewhere, kAudioDevicePropertyStreams,
    kAudioHardwarePropertyDevices, kAudioHardwarePropertyProcessObjectList,
    kAudioObjectPropertyElementMain, kAudioObjectPropertyScopeGlobal,
    kAudioObjectPropertyScopeInput, kAudioObjectSystemObject, kAudioProcessPropertyIsRunningInput,
    kAudioProcessPropertyPID,
};

const SYSTEM: AudioObjectID = kAudioObjectSystemObject as AudioObjectID;

/// Called after a change.
type Changed = RcBlock<dyn Fn(u32, NonNull<AudioObjectPropertyAddress>)>;

/// Current recordings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recording {
    /// Processes that record.
    Processes(Vec<u32>),
    /// This version of macOS does not report processes: true if any process records.
    Devices(bool),
}

/// Connection to Core Audio. It must stay on the thread that created it.
pub struct Microphones {
    changed: Changed,
    queue: DispatchRetained<DispatchQueue>,
    listened: Vec<(AudioObjectID, AudioObjectPropertyAddress)>,
}

impl Microphones {
    /// Registers for changes. `changed` is called on a thread of macOS, which it must not block.
    #[must_use]
    pub fn new(changed: impl Fn() + 'static) -> Self {
        let mut microphones = Self {
            changed: RcBlock::new(move |_, _| changed()),
            queue: DispatchQueue::new("Offhook microphone", None),
            listened: Vec::new(),
        };
        for selector in [
            kAudioHardwarePropertyProcessObjectList,
            kAudioHardwarePropertyDevices,
        ] {
            microphones.listen(SYSTEM, global(selector));
        }
        microphones
    }

    /// Reads the current recordings, and registers for changes of all devices and processes; `None` if Core Audio does not
    /// answer.
    pub fn read(&mut self) -> Option<Recording> {
        match list(SYSTEM, global(kAudioHardwarePropertyProcessObjectList)) {
            Some(processes) => Some(Recording::Processes(self.processes(&processes))),
            None => {
                let devices = list(SYSTEM, global(kAudioHardwarePropertyDevices))?;
                Some(Recording::Devices(self.runs_any(&devices)))
            }
        }
    }

    fn processes(&mut self, processes: &[AudioObjectID]) -> Vec<u32> {
        let running = global(kAudioProcessPropertyIsRunningInput);
        self.listen_only(processes, running);
        let mut pids: Vec<u32> = processes
            .iter()
            .filter(|process| number(**process, running).is_some_and(|runs| runs != 0))
            .filter_map(|process| number(*process, global(kAudioProcessPropertyPID)))
            .collect();
        pids.sort_unstable();
        pids.dedup();
        pids
    }

    fn runs_any(&mut self, devices: &[AudioObjectID]) -> bool {
        let streams = of(kAudioDevicePropertyStreams, kAudioObjectPropertyScopeInput);
        let records =
            |device: &&AudioObjectID| size(**device, streams).is_some_and(|size| size > 0);
        let microphones: Vec<AudioObjectID> = devices.iter().filter(records).copied().collect();
        let running = global(kAudioDevicePropertyDeviceIsRunningSomewhere);
        self.listen_only(&microphones, running);
        microphones
            .iter()
            .any(|device| number(*device, running).is_some_and(|runs| runs != 0))
    }

    /// Listens to a property of exactly these objects and of the system.
    fn listen_only(&mut self, objects: &[AudioObjectID], property: AudioObjectPropertyAddress) {
        let (kept, gone) = std::mem::take(&mut self.listened)
            .into_iter()
            .partition(|(object, _)| *object == SYSTEM || objects.contains(object));
        self.listened = kept;
        for (object, property) in gone {
            self.ignore(object, property);
        }
        for object in objects {
            if !self.listened.iter().any(|(listened, _)| listened == object) {
                self.listen(*object, property);
            }
        }
    }

    fn listen(&mut self, object: AudioObjectID, property: AudioObjectPropertyAddress) {
        // SAFETY: address, queue and block live until the end of the call; Core Audio retains those that it needs longer.
        let status = unsafe {
            AudioObjectAddPropertyListenerBlock(
                object,
                NonNull::from(&property),
                Some(&self.queue),
                RcBlock::as_ptr(&self.changed),
            )
        };
        if status == 0 {
            self.listened.push((object, property));
        }
    }

    fn ignore(&self, object: AudioObjectID, property: AudioObjectPropertyAddress) {
        // SAFETY: as in `listen`. The call fails for an object that no longer exists, which has no consequence.
        let _ = unsafe {
            AudioObjectRemovePropertyListenerBlock(
                object,
                NonNull::from(&property),
                Some(&self.queue),
                RcBlock::as_ptr(&self.changed),
            )
        };
    }
}

impl Drop for Microphones {
    fn drop(&mut self) {
        for (object, property) in std::mem::take(&mut self.listened) {
            self.ignore(object, property);
        }
    }
}

fn global(selector: AudioObjectPropertySelector) -> AudioObjectPropertyAddress {
    of(selector, kAudioObjectPropertyScopeGlobal)
}

fn of(
    selector: AudioObjectPropertySelector,
    scope: AudioObjectPropertyScope,
) -> AudioObjectPropertyAddress {
    AudioObjectPropertyAddress {
        mSelector: selector,
        mScope: scope,
        mElement: kAudioObjectPropertyElementMain,
    }
}

/// Size of a property in bytes; `None` if the object does not have it.
fn size(object: AudioObjectID, property: AudioObjectPropertyAddress) -> Option<u32> {
    let mut size = 0_u32;
    // SAFETY: both pointers are valid until the end of the call.
    let status = unsafe {
        AudioObjectGetPropertyDataSize(
            object,
            NonNull::from(&property),
            0,
            std::ptr::null(),
            NonNull::from(&mut size),
        )
    };
    (status == 0).then_some(size)
}

/// Reads a property as numbers of 32 bits, and returns their count.
fn read(
    object: AudioObjectID,
    property: AudioObjectPropertyAddress,
    to: &mut [u32],
) -> Option<usize> {
    let mut size = u32::try_from(size_of_val(to)).ok()?;
    let data = NonNull::new(to.as_mut_ptr())?.cast::<c_void>();
    // SAFETY: `data` has room for `size` bytes; all pointers are valid until the end of the call.
    let status = unsafe {
        AudioObjectGetPropertyData(
            object,
            NonNull::from(&property),
            0,
            std::ptr::null(),
            NonNull::from(&mut size),
            data,
        )
    };
    (status == 0).then_some(size as usize / size_of::<u32>())
}

/// Property with a number of 32 bits.
fn number(object: AudioObjectID, property: AudioObjectPropertyAddress) -> Option<u32> {
    let mut number = [0];
    let [number] = (read(object, property, &mut number)? == 1).then_some(number)?;
    Some(number)
}

/// Property with a list of objects.
fn list(object: AudioObjectID, property: AudioObjectPropertyAddress) -> Option<Vec<AudioObjectID>> {
    let size = size(object, property)?;
    let mut objects = vec![0; size as usize / size_of::<AudioObjectID>()];
    // The list may have become shorter since its size was read.
    let count = read(object, property, &mut objects)?;
    objects.truncate(count);
    Some(objects)
}
