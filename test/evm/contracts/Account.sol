// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// What Guardian reads of an ERC-7579 account: whether a module is installed.
contract Account {
    mapping(uint256 => mapping(address => bool)) private installed;

    function install(uint256 moduleType, address module) external {
        installed[moduleType][module] = true;
    }

    function uninstall(uint256 moduleType, address module) external {
        installed[moduleType][module] = false;
    }

    function isModuleInstalled(uint256 moduleType, address module, bytes calldata)
        external
        view
        returns (bool)
    {
        return installed[moduleType][module];
    }
}
